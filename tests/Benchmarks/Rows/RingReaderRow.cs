using System.Diagnostics;
using System.Runtime.InteropServices;
using Maplog.Hooking;
using Maplog.Kernel;

namespace Maplog.Benchmarks.Rows;

/// <summary>A ring that the hook has filled, read record by record as capture reads it, against a copy of the same bytes.</summary>
internal sealed class RingReaderRow : IRow
{
    private const int RingBytes = 16 << 20, Keys = 4096;

    public string Name => "ring-reader";

    public Task<IReadOnlyList<Figure>> RunAsync(Bench bench, CancellationToken cancellation)
    {
        using var map = BpfMap.Create("costs_ring", MapType.Hash, Sizes.KeySize, Sizes.ValueSize, Keys);
        using var hook = CaptureHook.Attach(new HookOptions { Probe = Probe.Syscall, RingBytes = RingBytes, Names = [NamePattern.Parse("costs_ring")] });
        var made = Fill(map, hook.Ring);
        hook.Unhook();
        var (rounds, windows) = bench.Sizes.Rounds == 1 ? (1, 4) : (15, 12);
        var copy = new byte[RingBytes];
        var bytes = (int)(hook.Ring.ProducerPosition - hook.Ring.ConsumerPosition);
        List<(double Read, double Copied)> speeds = [];
        long allocated = 0;
        for (var round = -1; round < rounds && !cancellation.IsCancellationRequested; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var (records, read) = ReadBest(hook.Ring, windows);
            if (round >= 0)
                allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            if (records != made)
                throw new InvalidOperationException($"{records} of {made} records were read.");
            var copied = CopyBest(hook.Ring, copy.AsSpan(0, bytes), windows);
            if (round >= 0)
                speeds.Add((bytes / read / 1e9, bytes / copied / 1e9));
        }
        return Task.FromResult<IReadOnlyList<Figure>>(
        [
            Figure.Compared(Name, Bench.Median(speeds.Select(s => s.Read)), Bench.Median(speeds.Select(s => s.Copied)), "GB/s", $"memcpy of the same {bytes >> 20} MiB, {made} records", Bench.Median(speeds.Select(s => s.Read / s.Copied)), 0.2, 0.5),
            Figure.Plain($"{Name}/allocated", (double)allocated / made, "B/record", 0, 0),
        ]);
    }

    /// <returns>How many changes are in the ring.</returns>
    private static int Fill(BpfMap map, RingReader ring)
    {
        byte[] key = new byte[Sizes.KeySize], value = new byte[Sizes.ValueSize];
        var made = 0;
        ulong before;
        do
        {
            before = ring.ProducerPosition;
            Changes.Key(key, made++ % Keys);
            map.Update(key, value);
        }
        while (ring.ProducerPosition != before);
        // The first was announced, the last found no room.
        return made;
    }

    // Of some passes the fastest, in seconds: others run on the machine.
    private static (int Records, double Seconds) ReadBest(RingReader ring, int passes)
    {
        var best = double.MaxValue;
        var records = 0;
        for (var pass = 0; pass < passes; pass++)
        {
            ring.Rewind();
            var began = Stopwatch.GetTimestamp();
            (records, var sum) = ReadAll(ring);
            best = Math.Min(best, Stopwatch.GetElapsedTime(began).TotalSeconds);
            GC.KeepAlive(sum == 0 ? ring : null);
        }
        ring.Rewind();
        return (records, best);
    }

    // To the spans that capture works on, each touched.
    private static (int Records, ulong Sum) ReadAll(RingReader ring)
    {
        var records = 0;
        ulong sum = 0;
        while (ring.TryRead(out var record))
        {
            var data = record.Data;
            ref readonly var header = ref RecordHeader.Of(data);
            records++;
            if (header.Operation == RecordOperation.MapSeen)
                continue;
            var comm = RecordHeader.CommOf(data);
            var keys = data.Slice(RecordHeader.Size, (int)(header.Count * header.KeySize));
            var values = data.Slice(RecordHeader.Size + keys.Length, (int)(header.Count * header.ValueSize));
            sum += header.Time + header.Tgid + (uint)comm.Length + MemoryMarshal.Read<ulong>(keys) + MemoryMarshal.Read<ulong>(values);
        }
        return (records, sum);
    }

    private static double CopyBest(RingReader ring, Span<byte> to, int passes)
    {
        var best = double.MaxValue;
        ring.Rewind();
        if (!ring.TryRead(out var first))
            throw new InvalidOperationException("The ring is empty.");
        // The records lie one behind the other from the first on, in one piece: the kernel maps the ring twice in a row.
        var all = MemoryMarshal.CreateReadOnlySpan(ref MemoryMarshal.GetReference(first.Data), to.Length - 8);
        for (var pass = 0; pass < passes; pass++)
        {
            var began = Stopwatch.GetTimestamp();
            all.CopyTo(to);
            best = Math.Min(best, Stopwatch.GetElapsedTime(began).TotalSeconds);
        }
        ring.Rewind();
        return best;
    }
}
