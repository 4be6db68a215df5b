namespace Maplog.Capture.Pipeline;

/// <summary>
/// How often each map is walked, so that all walks together stay within a share of a processor. Each map has the same right to the
/// share: a map that needs less than its part is walked as often as it wishes, and only maps that need more wait longer.
/// </summary>
internal static class WalkPlan
{
    /// <param name="costs">Nanoseconds that a walk of each map takes.</param>
    /// <param name="wanted">Nanoseconds from one walk of each map to the next, as wished.</param>
    /// <param name="share">The share of a processor for all of them: 0.05.</param>
    /// <param name="intervals">Nanoseconds from one walk of each map to the next.</param>
    public static void Fill(ReadOnlySpan<long> costs, ReadOnlySpan<long> wanted, double share, Span<long> intervals)
    {
        wanted.CopyTo(intervals);
        var left = share;
        var waiting = costs.Length;
        Span<bool> served = waiting <= 256 ? stackalloc bool[waiting] : new bool[waiting];
        for (var changed = true; changed && waiting > 0;)
        {
            changed = false;
            var part = left / waiting;
            for (var i = 0; i < costs.Length; i++)
            {
                var load = (double)costs[i] / wanted[i];
                if (served[i] || load > part)
                    continue;
                (served[i], changed) = (true, true);
                left -= load;
                waiting--;
            }
        }
        for (var i = 0; i < costs.Length; i++)
        {
            if (!served[i])
                intervals[i] = (long)Math.Min(costs[i] / (left / waiting), long.MaxValue / 2);
        }
    }
}
