using Maplog.Events;
using Maplog.Kernel;
using Maplog.Replicas;
using Maplog.Servers;

namespace Maplog.Tests.Kernel.Capturing;

/// <summary>Many changes through bpf(2), faster than any log: the ring holds them, or the map is read anew.</summary>
public sealed class MillionTests(TestPostgres postgres, TestRabbitMq rabbit)
{
    [Fact(Timeout = 600_000)]
    public async Task A_million_changes_are_a_million_events_and_lead_to_the_map_and_two_replicas()
    {
        using var map = BusyMap.Create("maplog_million");
        // It holds all of them, however slow the log is.
        await using var capture = await CaptureProcess.StartAsync(postgres, 256 << 20, await rabbit.CreateVirtualHostAsync("million"), $"id:{map.Info.Id}");
        await capture.WatchesAsync(map.Info.Name);
        string[] pins = [capture.Replicate(map.Info.Name), capture.Replicate(map.Info.Name)];
        BusyMap.Change(map, 1_000_000);
        // Three notes are before them: the term's, the map's, and that it was there before.
        await capture.LoggedAsync(map.Info.Name, 1_000_003);
        var (fold, changes, gaps) = await capture.FoldAsync(map.Info.Name);
        Assert.Equal((1_000_000, 0), (changes, gaps));
        Assert.Null(BusyMap.Difference(map, fold));
        foreach (var pin in pins)
        {
            while (VersionOf(pin) < fold.Version)
                await Task.Delay(100, TestContext.Current.CancellationToken);
            using var replica = BpfMap.OpenPinned(pin);
            Assert.Null(BusyMap.Difference(replica, fold));
        }
        await capture.StopAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task What_the_ring_cannot_hold_is_a_gap_and_the_map_is_read_anew()
    {
        using var map = BusyMap.Create("maplog_flood");
        await using var capture = await CaptureProcess.StartAsync(postgres, 64 << 10, null, $"id:{map.Info.Id}");
        await capture.WatchesAsync(map.Info.Name);
        BusyMap.Change(map, 200_000);
        var (fold, changes, gaps) = await capture.FoldAsync(map.Info.Name);
        while (BusyMap.Difference(map, fold) is not null)
            (fold, changes, gaps) = await capture.FoldAsync(map.Info.Name);
        Assert.NotEqual(0, gaps);
        await capture.StopAsync();
        Assert.Null(BusyMap.Difference(map, (await capture.FoldAsync(map.Info.Name)).Fold));
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
}
