using Maplog.Folding;
using Maplog.Kernel;
using Maplog.Servers;
using Maplog.Tests.Kernel.Capturing;

namespace Maplog.Tests.Kernel.Replicas;

/// <summary>Somebody else writes into a replica's map; the replicator finds it by the seals of the log and puts it right.</summary>
public sealed class RepairTests(TestPostgres postgres, TestRabbitMq rabbit)
{
    private const string SealEvery = "--Maplog:Capture:SealEvery=00:00:01", CheckEvery = "--Maplog:Replicator:CheckEvery=00:00:01", Repaired = "another program has written into its map";

    [Theory(Timeout = 300_000)]
    [InlineData(MapType.Hash)]
    [InlineData(MapType.Array)]
    [InlineData(MapType.PerCpuHash)]
    public async Task What_somebody_else_did_to_a_replica_at_rest_is_put_right(MapType type)
    {
        using var map = Create(type);
        await using var capture = await CaptureProcess.StartAsync(postgres, 1 << 20, await rabbit.CreateVirtualHostAsync("repair"), $"id:{map.Info.Id}", SealEvery);
        await capture.WatchesAsync(map.Info.Name);
        Fill(map, 64, seed: 1);
        var pin = capture.Replicate(map.Info.Name, CheckEvery);
        await EqualAsync(capture, map, pin);
        using (var replica = BpfMap.OpenPinned(pin))
            Spoil(replica, hasNewKey: type != MapType.Array);
        await capture.Replicators[0].SaysAsync(Repaired);
        await EqualAsync(capture, map, pin);
        Assert.Contains(capture.Replicators[0].Lines, l => l.Contains(type == MapType.Array ? "(entries written: 2, deleted: 0)" : "(entries written: 2, deleted: 1)", StringComparison.Ordinal));
        await capture.StopAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task What_somebody_else_did_to_a_replica_that_follows_many_changes_is_put_right()
    {
        using var map = Create(MapType.Hash);
        await using var capture = await CaptureProcess.StartAsync(postgres, 16 << 20, await rabbit.CreateVirtualHostAsync("repair"), $"id:{map.Info.Id}", SealEvery);
        await capture.WatchesAsync(map.Info.Name);
        Fill(map, 64, seed: 1);
        var pin = capture.Replicate(map.Info.Name, CheckEvery);
        await EqualAsync(capture, map, pin);
        using var stop = new CancellationTokenSource();
        var writing = Task.Run(() =>
        {
            for (var seed = 2; !stop.IsCancellationRequested; seed++)
                Fill(map, 32, seed); // the upper half stays as it is
        }, TestContext.Current.CancellationToken);
        using (var replica = BpfMap.OpenPinned(pin))
            Spoil(replica, hasNewKey: true);
        await capture.Replicators[0].SaysAsync(Repaired);
        await stop.CancelAsync();
        await writing;
        await EqualAsync(capture, map, pin);
        await capture.StopAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task Of_an_LRU_replica_what_is_foreign_goes_and_what_was_evicted_stays_away()
    {
        using var map = Create(MapType.LruHash);
        await using var capture = await CaptureProcess.StartAsync(postgres, 1 << 20, await rabbit.CreateVirtualHostAsync("repair"), $"id:{map.Info.Id}", SealEvery);
        await capture.WatchesAsync(map.Info.Name);
        Fill(map, 32, seed: 1);
        var pin = capture.Replicate(map.Info.Name, CheckEvery);
        await EqualAsync(capture, map, pin);
        using var replica = BpfMap.OpenPinned(pin);
        // As if its own kernel had evicted one.
        replica.Delete(Key(map, 5));
        replica.Update(Key(map, 9_999), new byte[map.Info.ValueBytes]);
        await capture.Replicators[0].SaysAsync(Repaired);
        Assert.Contains(capture.Replicators[0].Lines, l => l.Contains("(entries written: 0, deleted: 1)", StringComparison.Ordinal) && l.Contains("(Entries evicted by this kernel: 1.)", StringComparison.Ordinal));
        Assert.False(replica.Lookup(Key(map, 9_999), new byte[map.Info.ValueBytes]));
        Assert.False(replica.Lookup(Key(map, 5), new byte[map.Info.ValueBytes]));
        await capture.StopAsync();
    }

    private static BpfMap Create(MapType type) => BpfMap.Create("maplog_repair", type, type == MapType.Array ? 4 : 24, 64, 128);

    private static byte[] Key(BpfMap map, int number)
    {
        var key = new byte[map.Info.KeySize];
        BitConverter.TryWriteBytes(key, number);
        return key;
    }

    private static void Fill(BpfMap map, int entries, int seed)
    {
        var value = new byte[map.Info.ValueBytes];
        var random = new Random(seed);
        for (var i = 0; i < entries; i++)
        {
            random.NextBytes(value);
            map.Update(Key(map, i), value);
        }
    }

    // One entry is another, one is missing, one is too many.
    private static void Spoil(BpfMap replica, bool hasNewKey)
    {
        var value = new byte[replica.Info.ValueBytes];
        value[3] = 1;
        replica.Update(Key(replica, 40), value);
        if (hasNewKey)
        {
            replica.Delete(Key(replica, 50));
            replica.Update(Key(replica, 9_999), value);
        }
        else
        {
            replica.Update(Key(replica, 50), new byte[replica.Info.ValueBytes]);
        }
    }

    private static async Task EqualAsync(CaptureProcess capture, BpfMap map, string pin)
    {
        while (!File.Exists(pin) || Difference(map, (await capture.FoldAsync(map.Info.Name)).Fold, pin) is not null)
            await Task.Delay(200, TestContext.Current.CancellationToken);
    }

    private static string? Difference(BpfMap map, StreamFold fold, string pin)
    {
        using var replica = BpfMap.OpenPinned(pin);
        foreach (var live in new[] { map, replica })
        {
            var content = live.ReadAll(chunk: 512, room: 512);
            if (fold.Entries.Count != content.Count(e => map.Info.Type != MapType.Array || e.Value.AsSpan().ContainsAnyExcept((byte)0)))
                return "another number of entries";
            foreach (var entry in fold.Entries)
            {
                if (!content.TryGetValue(Bytes.Number(entry.Key), out var value) || !entry.Value.SequenceEqual(value))
                    return $"key {Bytes.Number(entry.Key)}";
            }
        }
        return null;
    }
}
