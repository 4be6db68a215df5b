using Maplog.Events;

namespace Maplog.Replicator.Following;

/// <summary>A replica that receives news of its stream.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="Pin">The replica's pin.</param>
/// <param name="Inbox">Receives the news.</param>
internal sealed record Listener(StreamName Stream, string Pin, ReplicaInbox Inbox);
