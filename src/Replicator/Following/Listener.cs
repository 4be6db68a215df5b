using Maplog.Events;

namespace Maplog.Replicator.Following;

/// <summary>A replica that hears of its stream.</summary>
/// <param name="Stream">Which stream.</param>
/// <param name="Pin">Which replica.</param>
/// <param name="Inbox">Where it hears.</param>
internal sealed record Listener(StreamName Stream, string Pin, ReplicaInbox Inbox);
