using System.Globalization;
using Maplog.Events;
using Maplog.Log;

namespace Maplog.Benchmarks.Pipelines;

/// <summary>
/// How long changes took from the kernel's map to the replica's, all of them: the hook's time in each event of the log, against
/// the time at which the replica's cursor, which is written after the batch, was first seen to be past it. One clock.
/// </summary>
/// <param name="P50">Milliseconds.</param>
/// <param name="P99">Milliseconds.</param>
internal sealed record Lag(double P50, double P99)
{
    private const int MostWatched = 16;

    /// <summary>Runs the whole pipeline at the work's rate; of many maps, the changes of some are looked at.</summary>
    /// <param name="bench">Has the servers.</param>
    /// <param name="store">The log.</param>
    /// <param name="work">What is done.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <param name="warm">So many seconds of the work do not count.</param>
    public static async Task<Lag> MeasureAsync(Bench bench, LogStore store, Work work, CancellationToken cancellation, double warm = 0)
    {
        await using var pipeline = await Pipeline.StartAsync(bench, store, work, cancellation);
        using var driver = await pipeline.StartWorkAsync(cancellation);
        pipeline.StartReplicator();
        driver.GoOn();
        await driver.SaysAsync("filled").WaitAsync(cancellation);
        await pipeline.ReachAsync(replicas: true, cancellation);
        var maps = Some(work.Names);
        var from = new List<StreamVersion>();
        foreach (var map in maps)
            from.Add((await pipeline.HeadAsync(map, cancellation)).Version);
        using var watch = new CursorWatch(maps.Select(pipeline.ReplicaPin));
        driver.GoOn();
        await driver.SaysAsync("done").WaitAsync(cancellation);
        await pipeline.ReachAsync(replicas: true, cancellation);
        await Task.Delay(50, cancellation); // one more look
        var moves = watch.End();
        var lags = new List<(long Since, double Milliseconds)>();
        for (var i = 0; i < maps.Count; i++)
            await AddAsync(lags, store, new StreamName("lb-1", maps[i]), from[i], moves[i], cancellation);
        var began = lags.Min(l => l.Since);
        await pipeline.CheckAsync(Pipeline.ChangesOf(driver), cancellation);
        driver.GoOn();
        Console.Error.WriteLine($"  the longest of each second, ms: {string.Join(' ', lags.GroupBy(l => (l.Since - began) / 1_000_000_000).OrderBy(second => second.Key).Select(second => $"{second.Max(l => l.Milliseconds):0}"))}");
        var sorted = lags.Where(l => l.Since >= began + (long)(warm * 1e9)).Select(l => l.Milliseconds).Order().ToList();
        var lag = new Lag(sorted[sorted.Count / 2], sorted[(int)(sorted.Count * 0.99)]);
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {sorted.Count} changes of {work.Maps} maps at {work.Rate} a second: p50 {lag.P50:0.0}, p90 {sorted[(int)(sorted.Count * 0.9)]:0.0}, p99 {lag.P99:0.0}, p99.9 {sorted[(int)(sorted.Count * 0.999)]:0.0}, most {sorted[^1]:0.0} ms"));
        return lag;
    }

    // When changes were made, by the kernel's clock, and for how long each was on its way.
    private static async Task AddAsync(List<(long, double)> lags, LogStore store, StreamName stream, StreamVersion after, IReadOnlyList<(long At, long Version)> moves, CancellationToken cancellation)
    {
        var move = 0;
        await foreach (var page in new LogReader(store).ReadAsync(stream, after, null, cancellation))
        {
            foreach (var logged in page)
            {
                while (moves[move].Version < logged.Version.Value)
                    move++;
                if (!logged.Kind.IsChange())
                    continue;
                var time = ChangePayload.ReadHeader(logged.Data.Span).KernelTime;
                lags.Add((time, (moves[move].At - time) / 1e6));
            }
        }
    }

    // Every so manieth: looking at each cursor costs what is measured its time.
    private static IReadOnlyList<string> Some(IReadOnlyList<string> names) => [.. names.Where((_, i) => i % Math.Max(1, names.Count / MostWatched) == 0)];
}
