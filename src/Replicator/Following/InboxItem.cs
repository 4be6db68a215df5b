using Maplog.Bus;
using Maplog.Replicas;

namespace Maplog.Replicator.Following;

/// <summary>News for a replica: exactly one of these is set, or none, which means that time has passed.</summary>
/// <param name="Block">Events from the bus.</param>
/// <param name="Beat">The stream's head from the bus.</param>
/// <param name="Broken">Why a message cannot be used.</param>
/// <param name="Head">The stream's head from the log.</param>
internal readonly record struct InboxItem(ChangeBlock? Block = null, Heartbeat? Beat = null, string? Broken = null, AskedHead? Head = null);

/// <param name="Head">The answer of the log.</param>
/// <param name="AskedAt">Time of the question, ns since boot.</param>
internal sealed record AskedHead(Cursor Head, long AskedAt);
