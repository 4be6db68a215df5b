using Maplog.Benchmarks.Pipelines;

namespace Maplog.Benchmarks.Rows;

/// <summary>A replica that was away while the log went on, from the start of its replicator to the head, against the rate at which the whole pipeline goes.</summary>
internal sealed class CatchUpRow : IRow
{
    public string Name => "catch-up";

    public async Task<IReadOnlyList<Figure>> RunAsync(Bench bench, CancellationToken cancellation)
    {
        var log = await bench.MakeLogAsync(cancellation);
        bench.EndToEnd ??= (await Flow.MeasureAsync(bench, log, new Work(1, bench.Sizes.Replicated, bench.Sizes.GrowthSeconds), cancellation)).Rate;
        var work = new Work(1, bench.Sizes.Replicated, 0, Count: bench.Sizes.Behind);
        await using var pipeline = await Pipeline.StartAsync(bench, log, work, cancellation);
        using var driver = await pipeline.StartWorkAsync(cancellation);
        pipeline.StartReplicator();
        driver.GoOn();
        await driver.SaysAsync("filled").WaitAsync(cancellation);
        await pipeline.ReachAsync(replicas: true, cancellation);
        await pipeline.StopReplicatorAsync();
        driver.GoOn();
        await driver.SaysAsync("done").WaitAsync(cancellation);
        await pipeline.ReachAsync(replicas: false, cancellation);
        var pin = pipeline.ReplicaPin(work.Names[0]);
        var behind = (await pipeline.HeadAsync(work.Names[0], cancellation)).Version.Value - CursorWatch.VersionOf(pin);
        var began = TimeProvider.System.GetTimestamp();
        pipeline.StartReplicator();
        await pipeline.ReachAsync(replicas: true, cancellation);
        var rate = behind / TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        await pipeline.CheckAsync(Pipeline.ChangesOf(driver), cancellation);
        driver.GoOn();
        return [Figure.Compared(Name, rate, bench.EndToEnd.Value, "changes/s", $"end to end; the replica lacked {behind} changes", rate / bench.EndToEnd.Value, 3, 6)];
    }
}
