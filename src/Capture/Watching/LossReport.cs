using Maplog.Capture.Pipeline;

namespace Maplog.Capture.Watching;

/// <summary>Takes losses of a map that the log does not have yet.</summary>
/// <param name="map">The map.</param>
/// <param name="reason">The gap's reason.</param>
/// <param name="count">Changes, or calls, that were lost.</param>
/// <param name="from">Kernel time of the count before.</param>
/// <param name="to">Kernel time of this count.</param>
internal delegate void LossReport(CapturedMap map, string reason, ulong count, long from, long to);
