using System.Diagnostics;
using Maplog.Kernel;
using Maplog.Tests.Kernel.Walking;
using Maplog.Walking;

namespace Maplog.Benchmarks.Rows;

/// <summary>A look at a whole preallocated hash map at rest: the walk in the kernel, and the batch read by bpf(2).</summary>
internal sealed class WalkRow : IRow
{
    private const int Chunk = 16384;

    public string Name => "walk";

    public Task<IReadOnlyList<Figure>> RunAsync(Bench bench, CancellationToken cancellation)
    {
        var entries = bench.Sizes.Entries;
        using var table = new PokedTable("walk_bench", MapType.Hash, (uint)entries);
        for (uint from = 0; from < entries; from += 100_000)
            table.Make(from, (uint)Math.Min(100_000, entries - from), state: 1);
        using var walks = new LinearWalks();
        var loading = Stopwatch.GetTimestamp();
        using var walk = walks.TryMake(table.Map, null, out var whyNot)
            ?? throw new InvalidOperationException($"The map cannot be walked: {whyNot}.");
        Console.Error.WriteLine($"  trial and load {Stopwatch.GetElapsedTime(loading).TotalMilliseconds:0} ms");
        byte[] keys = new byte[Chunk * Sizes.KeySize], values = new byte[Chunk * Sizes.ValueSize];
        var places = new int[walk.Room];
        Walk(walk, table.Map, keys, values, places); // sees everything for the first time
        List<(double Walk, double Batch)> times = [];
        for (var round = 0; round < bench.Sizes.Rounds * 3; round++)
        {
            var began = Stopwatch.GetTimestamp();
            if (Walk(walk, table.Map, keys, values, places) is var found and not 0)
                throw new InvalidOperationException($"The walk found {found} changes in a map at rest.");
            var middle = Stopwatch.GetTimestamp();
            var scan = table.Map.Scan(Chunk);
            while (scan.Next(keys, values) > 0)
            {
            }
            var (walkTime, batchTime) = (Stopwatch.GetElapsedTime(began, middle), Stopwatch.GetElapsedTime(middle));
            times.Add((walkTime.TotalNanoseconds / entries, batchTime.TotalNanoseconds / entries));
        }
        var (walked, batch) = (Bench.Median(times.Select(t => t.Walk)), Bench.Median(times.Select(t => t.Batch)));
        Console.Error.WriteLine($"  a batch read takes {batch / walked:0.0} times as long");
        return Task.FromResult<IReadOnlyList<Figure>>([Figure.Plain(Name, walked, "ns/entry", 40, 20)]);
    }

    private static int Walk(LinearWalk walk, BpfMap map, byte[] keys, byte[] values, int[] places)
    {
        var found = 0;
        for (walk.Begin(); !walk.IsAtEnd;)
        {
            if (!walk.Continue(map, 4096) || walk.IsAtEnd)
                found += walk.Take(keys, values, places);
        }
        return found;
    }
}
