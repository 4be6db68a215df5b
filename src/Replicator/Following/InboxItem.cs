using Maplog.Bus;
using Maplog.Replicas;

namespace Maplog.Replicator.Following;

/// <summary>Something for a replica to look at: one of these, or none, which means that time went by.</summary>
/// <param name="Block">Events by the bus.</param>
/// <param name="Beat">The stream's head by the bus.</param>
/// <param name="Broken">Why a message cannot be used.</param>
/// <param name="Head">The stream's head by the log.</param>
internal readonly record struct InboxItem(ChangeBlock? Block = null, Heartbeat? Beat = null, string? Broken = null, AskedHead? Head = null);

/// <param name="Head">What the log answered.</param>
/// <param name="AskedAt">When it was asked, ns since boot.</param>
internal sealed record AskedHead(Cursor Head, long AskedAt);
