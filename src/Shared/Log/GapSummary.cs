using Maplog.Events;

namespace Maplog.Log;

/// <summary>The gaps of a stream for one reason.</summary>
/// <param name="Stream">Which stream.</param>
/// <param name="Reason">As in <see cref="GapFound"/>.</param>
/// <param name="Gaps">Gap events.</param>
/// <param name="Lost">What they tell of as lost, as far as it could be counted.</param>
public sealed record GapSummary(StreamName Stream, string Reason, long Gaps, long Lost);
