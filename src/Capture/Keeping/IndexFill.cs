using System.Diagnostics;
using Maplog.Log;

namespace Maplog.Capture.Keeping;

/// <summary>
/// Fills the index of keys of a source's streams, behind the head, in small steps with rests between them, so that it takes a
/// third of a connection's time at most, and a fifth while the pipeline writes as fast as it can. What is not indexed yet is scanned by whoever asks.
/// </summary>
/// <param name="store">The log.</param>
/// <param name="options">The source, its rate and its batches.</param>
/// <param name="committed">How many events the pipeline has committed.</param>
/// <param name="time">The clock.</param>
internal sealed class IndexFill(LogStore store, CaptureOptions options, Func<long> committed, TimeProvider time)
{
    /// <summary>How often the heads are looked at.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    // Some 25 ms of a processor: longer ones hold up a commit on a small machine.
    private const int Step = 2000;

    /// <summary>A step is followed by a rest of so many times its own length; by another beyond so many appended events a second.</summary>
    private const double Rest = 2, BusyRate = 25_000, BusyRest = 4;

    private readonly AuditReader _audit = new(store);
    private long _committed = committed(), _at = time.GetTimestamp();

    /// <summary>Brings all streams to their heads.</summary>
    public async Task FillAsync(CancellationToken stopping)
    {
        foreach (var head in await new LogReader(store).ReadHeadsAsync(options.Source, stopping))
        {
            while (true)
            {
                var began = Stopwatch.GetTimestamp();
                var indexed = await _audit.IndexKeysAsync(head.Stream, Step, stopping);
                if (indexed == 0)
                    break;
                await RestAsync(Stopwatch.GetElapsedTime(began), indexed, stopping);
            }
        }
    }

    private async Task RestAsync(TimeSpan took, long indexed, CancellationToken stopping)
    {
        var rest = TimeSpan.FromSeconds((double)indexed / options.IndexRate) - took;
        var own = took * (IsBusy() ? BusyRest : Rest);
        if (own > rest)
            rest = own;
        if (rest > TimeSpan.Zero)
            await Task.Delay(rest, time, stopping);
    }

    private bool IsBusy()
    {
        var (now, done) = (time.GetTimestamp(), committed());
        var rate = (done - _committed) / Math.Max(time.GetElapsedTime(_at, now).TotalSeconds, 1e-6);
        (_at, _committed) = (now, done);
        return rate > BusyRate;
    }
}
