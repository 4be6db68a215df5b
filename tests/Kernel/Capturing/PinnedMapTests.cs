using Maplog.Events;
using Maplog.Servers;

namespace Maplog.Tests.Kernel.Capturing;

/// <summary>A map that is watched by its pin: the hook knows it only once it is pinned there, and the daemon has looked.</summary>
public sealed class PinnedMapTests(TestPostgres postgres)
{
    [Fact(Timeout = 300_000)]
    public async Task What_was_changed_before_a_map_was_pinned_where_it_is_watched_is_told_as_a_gap()
    {
        using var pins = new PinFolder();
        await using var capture = await CaptureProcess.StartAsync(postgres, 16 << 20, null, $"pin:{pins["late"]}=late");
        using var map = BusyMap.Create("maplog_late");
        BusyMap.Change(map, 1_500);
        map.Pin(pins["late"]);
        await capture.WatchesAsync("late");
        while (BusyMap.Difference(map, (await capture.FoldAsync("late")).Fold) is not null)
            await Task.Delay(100, TestContext.Current.CancellationToken);
        var gap = await capture.Log.ReadLatestAsync<GapFound>(new StreamName(CaptureProcess.Source, "late"), TestContext.Current.CancellationToken);
        Assert.Equal("late-attach", gap?.Note.Reason);
        await capture.StopAsync();
    }
}
