using System.Globalization;
using Maplog.Log;
using Maplog.Tests.Recorded;

namespace Maplog.Benchmarks.Pipelines;

/// <summary>What came of keeping a pipeline busy.</summary>
/// <param name="Rate">Changes a second, from the first after the maps were filled to the last that was in the replicas.</param>
/// <param name="Resident">Resident bytes of both daemons, each second.</param>
internal sealed record Flow(double Rate, IReadOnlyList<long> Resident)
{
    /// <summary>Runs the whole pipeline on some work, and checks what came of it.</summary>
    public static async Task<Flow> MeasureAsync(Bench bench, LogStore store, Work work, CancellationToken cancellation)
    {
        await using var pipeline = await Pipeline.StartAsync(bench, store, work, cancellation);
        using var driver = await pipeline.StartWorkAsync(cancellation);
        pipeline.StartReplicator();
        driver.GoOn();
        await driver.SaysAsync("filled").WaitAsync(cancellation);
        await pipeline.ReachAsync(replicas: true, cancellation);
        var filled = Pipeline.ChangesOf(driver);
        var disk = await DiskUse.ReadAsync(store, cancellation);
        var (cpu, began) = (CpuTime.Read(), TimeProvider.System.GetTimestamp());
        driver.GoOn();
        var (resident, waiting) = await WatchAsync(pipeline, driver, cancellation);
        await pipeline.ReachAsync(replicas: true, cancellation);
        var seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        var all = Pipeline.ChangesOf(driver);
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {all - filled} changes of {work.Maps} maps of {work.Entries} in {seconds:0.0} s; {waiting / 1048576.0:0.0} MiB waited in the ring; CPU µs per change: {Cost(cpu, all - filled)}"));
        Console.Error.WriteLine($"  for each: {(await DiskUse.ReadAsync(store, cancellation)).Since(disk, all - filled)}");
        await pipeline.CheckAsync(all, cancellation);
        driver.GoOn();
        return new Flow((all - filled) / seconds, resident);
    }

    private static async Task<(List<long> Resident, double Waiting)> WatchAsync(Pipeline pipeline, Command driver, CancellationToken cancellation)
    {
        var resident = new List<long>();
        var waiting = new List<double>();
        while (!driver.Lines.Contains("done"))
        {
            if (driver.HasEnded)
                throw new InvalidOperationException($"mapdriver ended: {driver.LastLines(5)}");
            await Task.Delay(1000, cancellation);
            resident.Add(Pipeline.ResidentBytes(pipeline.Capture) + Pipeline.ResidentBytes(pipeline.Replicator));
            waiting.Add(pipeline.Waiting);
        }
        return (resident, Bench.Median(waiting));
    }

    private static string Cost(Dictionary<string, double> before, long changes) => string.Join(", ", CpuTime.Read()
        .Select(c => (c.Key, Cost: (c.Value - before.GetValueOrDefault(c.Key)) * 1e6 / changes))
        .Where(c => c.Cost >= 0.05).OrderByDescending(c => c.Cost)
        .Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Key} {c.Cost:0.0}")));
}
