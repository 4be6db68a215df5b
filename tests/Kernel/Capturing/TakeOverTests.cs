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
            await capture.ReplaceAsync(TimeSpan.FromMilliseconds(random.Next(500)));
            await writing;
        }
        await capture.LoggedAsync(map.Info.Name, Lives * ChangesInALife);
        await capture.StopAsync();
        var (fold, changes, gaps) = await capture.FoldAsync(map.Info.Name);
        Assert.Null(BusyMap.Difference(map, fold));
        Assert.Equal((Lives * ChangesInALife, 0), (changes, gaps));
    }
}
