using Maplog.Benchmarks.Pipelines;
using Maplog.Log;

namespace Maplog.Benchmarks.Rows;

/// <summary>What becomes of the end-to-end rate and of the lag as maps, entries and history grow: each range's largest against its smallest.</summary>
internal sealed class GrowthRow : IRow
{
    private const int LagRate = 10_000;

    public string Name => "growth";

    public async Task<IReadOnlyList<Figure>> RunAsync(Bench bench, CancellationToken cancellation)
    {
        var (seconds, entries, most) = (bench.Sizes.GrowthSeconds, bench.Sizes.Replicated, bench.Sizes.Maps);
        var figures = new List<Figure>();
        await using (var log = await bench.MakeLogAsync(cancellation))
        {
            // The same entries in all, in one map or in many.
            await AddAsync("maps", $"{most} maps", "1 map", [.. new[] { 1, Math.Min(16, most), most }.Select(maps => (log, new Work(maps, entries / maps, seconds)))]);
        }
        await using (var log = await bench.MakeLogAsync(cancellation))
            await AddAsync("entries", $"{bench.Sizes.Entries} entries", "10000 entries", [.. new[] { 10_000, entries, bench.Sizes.Entries }.Select(e => (log, new Work(1, e, seconds)))]);
        await using (var log = await bench.MakeLogAsync(cancellation))
        {
            // Its last run has all that the log of the other rows has before it.
            var filled = (await bench.FilledAsync(cancellation)).Store;
            await AddAsync("history", $"{bench.Sizes.Events} events before", "an empty log", [(log, new Work(1, entries, seconds)), (filled, new Work(1, entries, seconds))]);
        }
        return figures;

        async Task AddAsync(string range, string largest, string smallest, (LogStore Log, Work Work)[] steps)
        {
            var rates = new List<double>();
            foreach (var (log, work) in steps)
                rates.Add((await Flow.MeasureAsync(bench, log, work, cancellation)).Rate);
            figures.Add(Figure.Compared($"{Name}/{range}", rates[^1], rates[0], "changes/s", $"{smallest}, here {largest}", rates[^1] / rates[0], 0.8, 0.95));
            var (last, of) = steps[^1];
            var lag = await Lag.MeasureAsync(bench, last, new Work(of.Maps, of.Entries, seconds, LagRate, Batch: 10), cancellation);
            figures.Add(Figure.Plain($"{Name}/{range}/p99", lag.P99, "ms", 30, 15));
        }
    }
}
