namespace Maplog.Capture.Watching;

/// <summary>A pin that a target means, and the map behind it.</summary>
/// <param name="Target">The target.</param>
/// <param name="Path">The pin.</param>
/// <param name="MapId">The kernel's id of the map.</param>
internal sealed record PinnedMap(WatchedTarget Target, string Path, uint MapId);
