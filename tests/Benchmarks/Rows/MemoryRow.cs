using Maplog.Benchmarks.Pipelines;

namespace Maplog.Benchmarks.Rows;

/// <summary>What a capture holds in memory that watches a large map, when all of it has been logged; and the next capture, which has read it from the log.</summary>
internal sealed class MemoryRow : IRow
{
    public string Name => "memory";

    public async Task<IReadOnlyList<Figure>> RunAsync(Bench bench, CancellationToken cancellation)
    {
        await using var log = await bench.MakeLogAsync(cancellation);
        await using var pipeline = await Pipeline.StartAsync(bench, log, new Work(1, bench.Sizes.Entries, 0, Count: bench.Sizes.Entries), cancellation);
        using var driver = await pipeline.StartWorkAsync(cancellation);
        driver.GoOn();
        await driver.SaysAsync("filled").WaitAsync(cancellation);
        driver.GoOn();
        await driver.SaysAsync("done").WaitAsync(cancellation);
        await pipeline.ReachAsync(replicas: false, cancellation);
        var resident = Pipeline.ResidentBytes(pipeline.Capture) / 1048576.0;
        await pipeline.RestartCaptureAsync(cancellation);
        await Task.Delay(TimeSpan.FromSeconds(5), cancellation); // It looks at the map, which takes memory too.
        var restarted = Pipeline.ResidentBytes(pipeline.Capture) / 1048576.0;
        driver.GoOn();
        return [Figure.Plain(Name, resident, "MiB", 300, 200), Figure.Plain($"{Name}/restarted", restarted, "MiB", 300, 200)];
    }
}
