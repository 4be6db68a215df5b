using Maplog.Benchmarks.Pipelines;

namespace Maplog.Benchmarks.Rows;

/// <summary>What a capture holds in memory of a large map: the moment all of it has been logged, when it watches it at rest, and the next capture, which has read it from the log.</summary>
internal sealed class MemoryRow : IRow
{
    // It looks at the map, and what it took for that and for the burst before it gives back.
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(5);

    public string Name => "memory";

    public async Task<IReadOnlyList<Figure>> RunAsync(Bench bench, CancellationToken cancellation)
    {
        var log = await bench.MakeLogAsync(cancellation);
        await using var pipeline = await Pipeline.StartAsync(bench, log, new Work(1, bench.Sizes.Entries, 0, Count: bench.Sizes.Entries), cancellation);
        using var driver = await pipeline.StartWorkAsync(cancellation);
        driver.GoOn();
        await driver.SaysAsync("filled").WaitAsync(cancellation);
        driver.GoOn();
        await driver.SaysAsync("done").WaitAsync(cancellation);
        await pipeline.ReachAsync(replicas: false, cancellation);
        var filled = Resident(pipeline);
        await Task.Delay(Rest, cancellation);
        var watching = Resident(pipeline);
        await pipeline.RestartCaptureAsync(cancellation);
        await Task.Delay(Rest, cancellation);
        var restarted = Resident(pipeline);
        driver.GoOn();
        return [Of("filled", filled), Of("watching", watching), Of("restarted", restarted)];
    }

    private static double Resident(Pipeline pipeline) => Pipeline.ResidentBytes(pipeline.Capture) / 1048576.0;

    private Figure Of(string when, double mebibytes) => Figure.Plain($"{Name}/{when}", mebibytes, "MiB", 300, 200);
}
