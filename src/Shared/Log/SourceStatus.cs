using Maplog.Events;

namespace Maplog.Log;

/// <summary>A source and its writer, as the source's own history tells it: the lease says who may write, this says who did.</summary>
/// <param name="Source">Its name.</param>
/// <param name="Epoch">The latest term; 0: nobody has written yet.</param>
/// <param name="Node">The host that began it; null: nobody.</param>
/// <param name="Since">When it began, by that host's clock.</param>
public sealed record SourceStatus(string Source, Epoch Epoch, string? Node, DateTimeOffset? Since);
