using Maplog.Bus;

namespace Maplog.Replicator.Following;

/// <summary>Something for a replica to look at: one of the three, or none, which means that time went by.</summary>
/// <param name="Block">Events by the bus.</param>
/// <param name="Beat">The stream's head by the bus.</param>
/// <param name="Broken">Why a message cannot be used.</param>
internal readonly record struct InboxItem(ChangeBlock? Block = null, Heartbeat? Beat = null, string? Broken = null);
