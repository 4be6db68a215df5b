using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using Maplog.Benchmarks.Pipelines;
using Maplog.Kernel;
using Maplog.Tests.Kernel.Walking;

namespace Maplog.Benchmarks.Rows;

/// <summary>
/// From a write through a pointer to the value in the replica's map, with the daemons' defaults: in one map, and in a small map beside a
/// large one. And what capture takes of a processor for its walks while nothing changes.
/// </summary>
internal sealed class InPlaceRow : IRow
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public string Name => "in-place";

    public async Task<IReadOnlyList<Figure>> RunAsync(Bench bench, CancellationToken cancellation)
    {
        var isShort = bench.Sizes.Rounds == 1;
        var writes = isShort ? 10 : 300;
        var (one, load) = await MeasureAsync(bench, [(uint)bench.Sizes.Replicated], writes, cancellation);
        var (beside, besideLoad) = await MeasureAsync(bench, [1000, (uint)bench.Sizes.Entries], writes, cancellation);
        return
        [
            Figure.Plain($"{Name}/p99", one, "ms", 250, 120),
            Figure.Plain($"{Name}/beside/p99", beside, "ms", 250, 120),
            Figure.Plain($"{Name}/load", load, "% of a processor", 5, 3),
            Figure.Plain($"{Name}/beside/load", besideLoad, "% of a processor", 5, 3),
        ];
    }

    private static async Task<(double P99, double Load)> MeasureAsync(
        Bench bench, uint[] entries, int writes, CancellationToken cancellation)
    {
        var log = await bench.MakeLogAsync(cancellation);
        var work = new Work(entries.Length, 0, 0);
        await using var pipeline = await Pipeline.StartAsync(bench, log, work, cancellation);
        var tables = entries.Select((count, i) => Make(pipeline, work.Names[i], count)).ToList();
        try
        {
            pipeline.StartReplicator();
            for (var i = 0; i < tables.Count; i++)
                await HasAsync(pipeline.ReplicaPin(work.Names[i]), entries[i], cancellation);
            await Task.Delay(TimeSpan.FromSeconds(2), cancellation);
            var load = await LoadAsync(pipeline, writes < 100, cancellation);
            using var replica = BpfMap.OpenPinned(pipeline.ReplicaPin(work.Names[0]), MapAccess.Read);
            var times = new List<double>();
            var random = new Random(1);
            for (uint i = 0; i < writes; i++)
            {
                await Task.Delay(random.Next(100), cancellation);
                times.Add(Write(tables[0], replica, (uint)random.Next((int)entries[0]), 1000 + i));
            }
            times.Sort();
            var (p50, p99) = (times[times.Count / 2], times[times.Count * 99 / 100]);
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {string.Join(" and ", entries)} entries: p50 {p50:0} ms, p99 {p99:0} ms, most {times[^1]:0} ms; {load:0.0}% of a processor at rest"));
            return (p99, load);
        }
        finally
        {
            tables.ForEach(t => t.Dispose());
        }
    }

    private static PokedTable Make(Pipeline pipeline, string name, uint entries)
    {
        var table = new PokedTable(name, MapType.Hash, entries);
        table.Map.Pin(pipeline.SourcePin(name));
        for (uint from = 0; from < entries; from += 100_000)
            table.Make(from, Math.Min(100_000, entries - from), state: 1);
        return table;
    }

    // The replica of a map has as many entries as the map: its last key is the last that a scan gives, so all are counted.
    private static async Task HasAsync(string pin, uint entries, CancellationToken cancellation)
    {
        byte[] keys = new byte[16384 * Sizes.KeySize], values = new byte[16384 * Sizes.ValueSize];
        for (var began = Stopwatch.GetTimestamp(); ;)
        {
            long has = 0;
            if (File.Exists(pin))
            {
                using var replica = BpfMap.OpenPinned(pin, MapAccess.Read);
                var scan = replica.Scan(16384);
                for (int count; (count = scan.Next(keys, values)) > 0;)
                    has += count;
            }
            if (has >= entries)
                return;
            if (Stopwatch.GetElapsedTime(began) > Patience)
                throw new TimeoutException($"The replica {pin} has {has} entries of {entries} after {Patience}.");
            await Task.Delay(200, cancellation);
        }
    }

    private static async Task<double> LoadAsync(Pipeline pipeline, bool isShort, CancellationToken cancellation)
    {
        var seconds = TimeSpan.FromSeconds(isShort ? 2 : 10);
        var before = TicksOf(pipeline.Capture.Id);
        await Task.Delay(seconds, cancellation);
        return (TicksOf(pipeline.Capture.Id) - before) / seconds.TotalSeconds; // USER_HZ is 100: ticks a second are percent
    }

    private static double TicksOf(int process)
    {
        var stat = File.ReadAllText($"/proc/{process}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture);
    }

    private static double Write(PokedTable table, BpfMap replica, uint number, uint state)
    {
        byte[] key = new byte[Sizes.KeySize], value = new byte[Sizes.ValueSize];
        BinaryPrimitives.WriteUInt64LittleEndian(key, number);
        BinaryPrimitives.WriteUInt64LittleEndian(key.AsSpan(8), number * 77UL);
        BinaryPrimitives.WriteUInt64LittleEndian(key.AsSpan(16), 5);
        var began = Stopwatch.GetTimestamp();
        table.Poke(number, 1, state);
        while (!replica.Lookup(key, value) || BinaryPrimitives.ReadUInt64LittleEndian(value) != state)
        {
            if (Stopwatch.GetElapsedTime(began) > Patience)
                throw new TimeoutException($"The replica has not got the value of entry {number} within {Patience}.");
            Thread.Sleep(1);
        }
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }
}
