using Maplog.Kernel;
using Maplog.Servers;

namespace Maplog.Tests.Kernel.Capturing;

/// <summary>A daemon is killed in the middle, again and again; the hook stays, and the next daemon goes on where the log ends.</summary>
public sealed class TakeOverTests(TestPostgres postgres)
{
    private const int Lives = 5, ChangesInALife = 60_000, RingBytes = 128 << 20;

    [Fact(Timeout = 600_000)]
    public async Task A_daemon_that_is_killed_under_load_leaves_no_event_out_and_none_double()
    {
        using var map = BusyMap.Create("maplog_killed");
        await using var capture = await CaptureProcess.StartStayingAsync(postgres, RingBytes, map.Info.Name);
        await capture.WatchesAsync(map.Info.Name);
        var random = new Random(11);
        for (var life = 0; life < Lives; life++)
        {
            var writing = Task.Run(() => BusyMap.Change(map, ChangesInALife, seed: life), TestContext.Current.CancellationToken);
            await Task.Delay(random.Next(100, 1500), TestContext.Current.CancellationToken);
            await capture.ReplaceAsync(() => Thread.Sleep(random.Next(500)));
            await writing;
        }
        await capture.LoggedAsync(map.Info.Name, Lives * ChangesInALife);
        await capture.StopAsync();
        var (fold, changes, gaps) = await capture.FoldAsync(map.Info.Name);
        Assert.Null(BusyMap.Difference(map, fold));
        Assert.Equal((Lives * ChangesInALife, 0), (changes, gaps));
    }

    [Fact(Timeout = 300_000)]
    public async Task What_the_ring_could_not_hold_while_no_daemon_ran_is_a_gap_and_the_map_is_read_anew()
    {
        using var map = BusyMap.Create("maplog_down");
        await using var capture = await CaptureProcess.StartStayingAsync(postgres, 64 << 10, map.Info.Name);
        await capture.WatchesAsync(map.Info.Name);
        await capture.ReplaceAsync(() => BusyMap.Change(map, 20_000));
        await EqualAsync(capture, map);
        await capture.StopAsync();
        Assert.True((await capture.FoldAsync(map.Info.Name)).Gaps > 0);
    }

    [Fact(Timeout = 300_000)]
    public async Task The_last_changes_of_a_map_that_died_while_no_daemon_ran_are_logged_and_its_successor_follows()
    {
        var map = BusyMap.Create("maplog_died");
        await using var capture = await CaptureProcess.StartStayingAsync(postgres, RingBytes, map.Info.Name);
        await capture.WatchesAsync(map.Info.Name);
        BusyMap.Change(map, 1_000, seed: 1);
        await capture.LoggedAsync(map.Info.Name, 1_000);
        BpfMap? next = null;
        await capture.ReplaceAsync(() =>
        {
            BusyMap.Change(map, 2_000, seed: 2);
            map.Dispose();
            next = BusyMap.Create("maplog_died");
            BusyMap.Change(next, 3_000, seed: 3);
        });
        using (next)
        {
            await EqualAsync(capture, next!);
            await capture.StopAsync();
        }
        var (_, changes, gaps) = await capture.FoldAsync("maplog_died");
        Assert.Equal((6_000, 0), (changes, gaps));
    }

    [Fact(Timeout = 300_000)]
    public async Task What_was_recorded_of_a_map_that_waits_for_its_predecessors_end_outlives_the_daemon()
    {
        var map = BusyMap.Create("maplog_rolled");
        await using var capture = await CaptureProcess.StartStayingAsync(postgres, RingBytes, map.Info.Name);
        await capture.WatchesAsync(map.Info.Name);
        BusyMap.Change(map, 1_000, seed: 1);
        using var next = BusyMap.Create(map.Info.Name);
        BusyMap.Change(next, 1_000, seed: 2);
        BusyMap.Change(map, 1_000, seed: 3);
        // Three notes are before them: the first of the successor's are read by then.
        await capture.LoggedAsync(map.Info.Name, 2_003);
        await capture.ReplaceAsync(() => BusyMap.Change(next, 1_000, seed: 4));
        BusyMap.Change(map, 500, seed: 5);
        BusyMap.Change(next, 500, seed: 6);
        map.Dispose();
        await EqualAsync(capture, next);
        await capture.StopAsync();
        var (_, changes, gaps) = await capture.FoldAsync(next.Info.Name);
        Assert.Equal((5_000, 0), (changes, gaps));
    }

    private static async Task EqualAsync(CaptureProcess capture, BpfMap map)
    {
        while (BusyMap.Difference(map, (await capture.FoldAsync(map.Info.Name)).Fold) is not null)
            await Task.Delay(200, TestContext.Current.CancellationToken);
    }
}
