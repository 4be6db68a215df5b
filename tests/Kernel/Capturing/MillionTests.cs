using System.Buffers.Binary;
using Maplog.Events;
using Maplog.Folding;
using Maplog.Kernel;
using Maplog.Replicas;
using Maplog.Servers;

namespace Maplog.Tests.Kernel.Capturing;

/// <summary>Many changes through bpf(2), faster than any log: the ring holds them, or the map is read anew.</summary>
public sealed class MillionTests(TestPostgres postgres, TestRabbitMq rabbit)
{
    private const int Keys = 50_000, KeySize = 24, ValueSize = 64, Batch = 500, EveryTenth = 10;

    [Fact(Timeout = 600_000)]
    public async Task A_million_changes_are_a_million_events_and_lead_to_the_map_and_two_replicas()
    {
        using var map = BpfMap.Create("maplog_million", MapType.Hash, KeySize, ValueSize, Keys);
        // It holds all of them, however slow the log is.
        await using var capture = await CaptureProcess.StartAsync(postgres, 256 << 20, await rabbit.CreateVirtualHostAsync("million"), $"id:{map.Info.Id}");
        await capture.WatchesAsync(map.Info.Name);
        string[] pins = [capture.Replicate(map.Info.Name), capture.Replicate(map.Info.Name)];
        Change(map, 1_000_000);
        // Two notes are before them: the term's and the map's.
        await capture.LoggedAsync(map.Info.Name, 1_000_002);
        var (fold, changes, gaps) = await capture.FoldAsync(map.Info.Name);
        Assert.Equal((1_000_000, 0), (changes, gaps));
        Assert.Null(Difference(map, fold));
        foreach (var pin in pins)
        {
            while (VersionOf(pin) < fold.Version)
                await Task.Delay(100, TestContext.Current.CancellationToken);
            using var replica = BpfMap.OpenPinned(pin);
            Assert.Null(Difference(replica, fold));
        }
        await capture.StopAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task What_the_ring_cannot_hold_is_a_gap_and_the_map_is_read_anew()
    {
        using var map = BpfMap.Create("maplog_flood", MapType.Hash, KeySize, ValueSize, Keys);
        await using var capture = await CaptureProcess.StartAsync(postgres, 64 << 10, null, $"id:{map.Info.Id}");
        await capture.WatchesAsync(map.Info.Name);
        Change(map, 200_000);
        var (fold, changes, gaps) = await capture.FoldAsync(map.Info.Name);
        while (Difference(map, fold) is not null)
            (fold, changes, gaps) = await capture.FoldAsync(map.Info.Name);
        Assert.NotEqual(0, gaps);
        await capture.StopAsync();
        Assert.Null(Difference(map, (await capture.FoldAsync(map.Info.Name)).Fold));
    }

    private static StreamVersion VersionOf(string pin)
    {
        if (!File.Exists(ReplicaMap.CursorPin(pin)))
            return StreamVersion.None;
        using var cursor = BpfMap.OpenPinned(ReplicaMap.CursorPin(pin));
        var record = new byte[CursorRecord.Size];
        cursor.Lookup(new byte[sizeof(int)], record);
        return CursorRecord.Read(record)?.Cursor.Version ?? StreamVersion.None;
    }

    private static string? Difference(BpfMap map, StreamFold fold)
    {
        var live = map.ReadAll(chunk: 4096, room: 4096);
        if (live.Count != fold.Entries.Count)
            return $"The map has {live.Count} entries, the log {fold.Entries.Count}.";
        foreach (var entry in fold.Entries)
        {
            if (!live.TryGetValue(Bytes.Number(entry.Key), out var value) || !entry.Value.SequenceEqual(value))
                return $"Key {Bytes.Number(entry.Key)} is another in the map than in the log.";
        }
        return null;
    }

    /// <summary>Batches and single calls by turns; every tenth round is deleted again.</summary>
    private static void Change(BpfMap map, int changes)
    {
        var keys = new byte[Batch * KeySize];
        var values = new byte[Batch * ValueSize];
        var random = new Random(7);
        var made = 0;
        for (var round = 0; made < changes; round++)
        {
            random.NextBytes(values);
            var first = random.Next(Keys - Batch);
            for (var i = 0; i < Batch; i++)
                BinaryPrimitives.WriteInt32LittleEndian(keys.AsSpan(i * KeySize), first + i);
            if (round % 3 == 0)
                made += map.UpdateBatch(keys, values, Batch);
            for (var i = 0; i < Batch && round % 3 != 0; i++, made++)
                map.Update(keys.AsSpan(i * KeySize, KeySize), values.AsSpan(i * ValueSize, ValueSize));
            if (round % EveryTenth == 0 && made + Batch <= changes)
                made += map.DeleteBatch(keys, Batch);
        }
    }
}
