using System.Globalization;
using Maplog.Benchmarks.Pipelines;
using Maplog.Log;

namespace Maplog.Benchmarks.Rows;

/// <summary>What becomes of the end-to-end rate and of the lag as one thing grows: its largest against its smallest, in turns.</summary>
internal sealed class GrowthRow : IRow
{
    private const int LagRate = 10_000;

    private readonly Func<Bench, CancellationToken, Task<Step[]>> _steps;

    private GrowthRow(string name, Func<Bench, CancellationToken, Task<Step[]>> steps) => (Name, _steps) = (name, steps);

    public string Name { get; }

    /// <summary>The same entries in all, in one map or in many.</summary>
    public static GrowthRow OfMaps { get; } = new("growth-maps", async (bench, cancellation) =>
    {
        var (log, most) = (await OneLogAsync(bench, cancellation), bench.Sizes.Maps);
        return [.. new[] { 1, Math.Min(16, most), most }.Select(maps => new Step(log, maps, bench.Sizes.Replicated / maps, maps == 1 ? "1 map" : Text($"{maps} maps")))];
    });

    public static GrowthRow OfEntries { get; } = new("growth-entries", async (bench, cancellation) =>
    {
        var log = await OneLogAsync(bench, cancellation);
        return [.. new[] { bench.Sizes.Entries / 100, bench.Sizes.Replicated, bench.Sizes.Entries }.Select(entries => new Step(log, 1, entries, Text($"{entries} entries")))];
    });

    /// <summary>A new log each time that has as many events as the large map has entries, and the filled log, into which this writes.</summary>
    public static GrowthRow OfHistory { get; } = new("growth-history", async (bench, cancellation) =>
    {
        var entries = bench.Sizes.Replicated;
        var filled = await bench.FilledAsync(cancellation);
        return
        [
            new Step(() => BegunLogAsync(bench, cancellation), 1, entries, Text($"{bench.Sizes.Entries} events before")),
            new Step(() => Task.FromResult(filled.Store), 1, entries, Text($"{bench.Sizes.Events} events before")),
        ];
    });

    public async Task<IReadOnlyList<Figure>> RunAsync(Bench bench, CancellationToken cancellation)
    {
        var steps = (await _steps(bench, cancellation)).Distinct().ToList(); // a short run's largest may be no larger than its middle
        var (first, last) = (steps[0], steps[^1]);
        var rates = steps.ToDictionary(s => s, _ => new List<double>());
        for (var round = 0; round < bench.Sizes.Rounds; round++)
        {
            foreach (var step in steps)
                rates[step].Add((await Flow.MeasureAsync(bench, await step.Log(), new Work(step.Maps, step.Entries, bench.Sizes.GrowthSeconds), cancellation)).Rate);
        }
        var warm = bench.Sizes.WarmSeconds;
        var lag = await Lag.MeasureAsync(bench, await last.Log(), new Work(last.Maps, last.Entries, warm + bench.Sizes.GrowthSeconds, LagRate, Batch: 10), cancellation, warm);
        return
        [
            Figure.Compared(Name, Bench.Median(rates[last]), Bench.Median(rates[first]), "changes/s", $"{first.What}, here {last.What}", Bench.Median(rates[last].Zip(rates[first], (l, f) => l / f)), 0.8, 0.95),
            Figure.Plain($"{Name}/p99", lag.P99, "ms", 30, 15),
        ];
    }

    /// <summary>One log, into which changes have gone already: before Postgres has anything to vacuum it takes them faster than it ever will again.</summary>
    private static async Task<Func<Task<LogStore>>> OneLogAsync(Bench bench, CancellationToken cancellation)
    {
        var log = await bench.MakeLogAsync(cancellation);
        await Flow.MeasureAsync(bench, log, new Work(1, bench.Sizes.Replicated, bench.Sizes.GrowthSeconds), cancellation);
        return () => Task.FromResult(log);
    }

    /// <summary>A new log with as many events as the large map has entries.</summary>
    private static async Task<LogStore> BegunLogAsync(Bench bench, CancellationToken cancellation) =>
        (await FilledLog.MakeAsync(await bench.MakeLogAsync(cancellation), bench.Sizes with { Events = bench.Sizes.Entries }, cancellation)).Store;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <param name="Log">Where it is logged; asked for each time.</param>
    /// <param name="Maps">How many.</param>
    /// <param name="Entries">Of each.</param>
    /// <param name="What">What has grown so far.</param>
    private sealed record Step(Func<Task<LogStore>> Log, int Maps, int Entries, string What);
}
