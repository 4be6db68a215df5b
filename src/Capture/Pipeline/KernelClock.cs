using Maplog.Kernel;

namespace Maplog.Capture.Pipeline;

/// <summary>
/// Turns kernel time (ns since boot) into UTC. The distance between the two is measured anew every second, so a clock that
/// is set shows in the log; that stored time never goes back is the stream's business (<see cref="CapturedStream.TimeOf"/>).
/// </summary>
internal sealed class KernelClock(TimeProvider time)
{
    private const long MeasureEvery = 1_000_000_000;

    private long _measuredAt = long.MinValue;
    private long _bootTicks;

    /// <summary>Nanoseconds since boot, suspend included: the clock of the hook's records.</summary>
    public static long Now => Boot.Now();

    public DateTimeOffset ToUtc(long kernelTime)
    {
        if (_measuredAt == long.MinValue || kernelTime - _measuredAt > MeasureEvery)
        {
            _measuredAt = Now;
            _bootTicks = time.GetUtcNow().Ticks - _measuredAt / 100;
        }
        return new DateTimeOffset(_bootTicks + kernelTime / 100, TimeSpan.Zero);
    }
}
