using System.Diagnostics;

namespace Maplog.Benchmarks.Rows;

/// <summary>What a call costs where others run on the same machine: many short windows, of which the eighth counts that was least disturbed.</summary>
internal static class Least
{
    /// <returns>Nanoseconds a call.</returns>
    /// <param name="windows">How many windows.</param>
    /// <param name="calls">Calls in each.</param>
    /// <param name="work">Makes so many calls.</param>
    /// <param name="between">After each window, unmeasured.</param>
    public static double Of(int windows, int calls, Action<int> work, Action? between = null)
    {
        var times = new double[windows];
        for (var window = -3; window < windows; window++)
        {
            var began = Stopwatch.GetTimestamp();
            work(calls);
            var took = Stopwatch.GetElapsedTime(began);
            if (window >= 0)
                times[window] = took.TotalNanoseconds / calls;
            between?.Invoke();
        }
        return times.Order().ElementAt(windows / 8);
    }
}
