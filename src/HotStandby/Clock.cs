using System.Diagnostics;

namespace Maplog.HotStandby;

/// <summary>CLOCK_MONOTONIC in nanoseconds, the clock of <c>bpf_ktime_get_ns</c>: .NET's time stamps are the same on Linux.</summary>
internal static class Clock
{
    public static ulong Now() => (ulong)Stopwatch.GetTimestamp();

    public static ulong Of(TimeSpan time) => (ulong)time.Ticks * TimeSpan.NanosecondsPerTick;
}
