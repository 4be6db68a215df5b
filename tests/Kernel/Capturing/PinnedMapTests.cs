using Maplog.Events;
using Maplog.Kernel;
using Maplog.Servers;
using Maplog.Tests.Integration.Cli;

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

    [Fact(Timeout = 300_000)]
    public async Task A_stream_that_is_watched_by_its_pin_follows_the_pin_while_the_map_before_it_lives()
    {
        using var pins = new PinFolder();
        using var before = BusyMap.Create("maplog_turn");
        before.Pin(pins["turn"]);
        await using var capture = await CaptureProcess.StartAsync(postgres, 16 << 20, null, $"pin:{pins["turn"]}=turn");
        await capture.WatchesAsync("turn");
        BusyMap.Change(before, 1_500);
        using var after = BusyMap.Create("maplog_turn");
        after.Pin(pins["turn"], replace: true);
        await capture.SaysAsync($"now leads to map {after.Info.Id}");
        BusyMap.Change(before, 500, seed: 9);
        BusyMap.Change(after, 1_500, seed: 8);
        while (BusyMap.Difference(after, (await capture.FoldAsync("turn")).Fold) is not null)
            await Task.Delay(100, TestContext.Current.CancellationToken);
        await capture.StopAsync();
        Assert.Equal([before.Info.Id, after.Info.Id], await LivesAsync(capture, "turn"));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_pin_that_was_moved_while_no_daemon_ran_is_followed_and_the_changes_before_it_are_logged()
    {
        using var pins = new PinFolder();
        using var before = BusyMap.Create("maplog_away");
        before.Pin(pins["away"]);
        await using var capture = await CaptureProcess.StartStayingAsync(postgres, 16 << 20, $"pin:{pins["away"]}=away");
        await capture.WatchesAsync("away");
        // The next daemon knows from the log alone which map was logged.
        while (await capture.Log.ReadLatestAsync<MapOpened>(new StreamName(CaptureProcess.Source, "away"), TestContext.Current.CancellationToken) is null)
            await Task.Delay(100, TestContext.Current.CancellationToken);
        using var after = BusyMap.Create("maplog_away");
        var gaps = (await capture.FoldAsync("away")).Gaps;
        await capture.ReplaceAsync(() =>
        {
            BusyMap.Change(before, 1_500);
            after.Pin(pins["away"], replace: true);
        });
        await capture.SaysAsync($"now leads to map {after.Info.Id}");
        BusyMap.Change(after, 100);
        while (BusyMap.Difference(after, (await capture.FoldAsync("away")).Fold) is not null)
            await Task.Delay(100, TestContext.Current.CancellationToken);
        await capture.StopAsync();
        var (_, changes, gapsNow) = await capture.FoldAsync("away");
        Assert.True(changes >= 1_600, $"{changes} changes are logged");
        Assert.Equal(gaps, gapsNow);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_map_whose_pin_is_removed_is_logged_on_and_the_capture_is_not_ready()
    {
        using var pins = new PinFolder();
        using var map = BusyMap.Create("maplog_lost");
        map.Pin(pins["lost"]);
        await using var capture = await CaptureProcess.StartAsync(postgres, 16 << 20, null, $"pin:{pins["lost"]}=lost");
        await capture.WatchesAsync("lost");
        Bpffs.Unpin(pins["lost"]);
        await StatusAsync(capture, 1, $"{pins["lost"]} leads to no map. Map {map.Info.Id}, which was pinned there, is logged while it lives.");
        BusyMap.Change(map, 1_500);
        while (BusyMap.Difference(map, (await capture.FoldAsync("lost")).Fold) is not null)
            await Task.Delay(100, TestContext.Current.CancellationToken);
        map.Pin(pins["lost"]);
        await StatusAsync(capture, 0, "");
        await capture.StopAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task A_glob_gives_each_of_many_pins_of_one_name_a_stream_of_its_own()
    {
        const int Maps = 100;
        using var pins = new PinFolder();
        var maps = Enumerable.Range(0, Maps).Select(_ => BpfMap.Create("maplog_many", MapType.Hash, 4, 8, 16)).ToList();
        for (var i = 0; i < Maps; i++)
            maps[i].Pin(pins[$"m{i}"]);
        await using var capture = await CaptureProcess.StartAsync(postgres, 16 << 20, null, $"pin:{pins.Folder}/m*=t-*");
        for (var i = 0; i < Maps; i++)
            maps[i].Update(Bytes.Of(i), Bytes.Of(i, 8));
        for (var i = 0; i < Maps; i++)
        {
            while ((await capture.FoldAsync($"t-m{i}")).Fold.Entries.Count == 0)
                await Task.Delay(100, TestContext.Current.CancellationToken);
        }
        await StatusAsync(capture, 0, "");
        await capture.StopAsync();
        maps.ForEach(m => m.Dispose());
    }

    [Fact(Timeout = 300_000)]
    public async Task More_names_than_64_are_watched_from_their_first_change()
    {
        const int Names = 100;
        await using var capture = await CaptureProcess.StartAsync(postgres, 16 << 20, null, [.. Enumerable.Range(0, Names).Select(i => $"maplog_n{i}")]);
        using var map = BpfMap.Create($"maplog_n{Names - 1}", MapType.Hash, 4, 8, 16);
        map.Update(Bytes.Of(1), Bytes.Of(1, 8));
        await capture.WatchesAsync($"maplog_n{Names - 1}");
        await capture.StopAsync();
        var (fold, changes, gaps) = await capture.FoldAsync($"maplog_n{Names - 1}");
        Assert.Equal((1, 1, 0), (fold.Entries.Count, changes, gaps));
    }

    [Fact(Timeout = 300_000)]
    public async Task Live_maps_that_wait_for_another_of_their_name_are_shown_and_the_capture_is_not_ready()
    {
        var maps = Enumerable.Range(0, 3).Select(_ => BpfMap.Create("maplog_same", MapType.Hash, 4, 8, 16)).ToList();
        await using var capture = await CaptureProcess.StartAsync(postgres, 16 << 20, null, "maplog_same");
        await capture.WatchesAsync("maplog_same");
        await StatusAsync(capture, 1, $"{CaptureProcess.Source}/maplog_same: 2 more maps are watched for this stream");
        maps[1].Dispose();
        maps[2].Dispose();
        await StatusAsync(capture, 0, "");
        await capture.StopAsync();
        maps[0].Dispose();
    }

    private static async Task StatusAsync(CaptureProcess capture, int code, string complaint)
    {
        while (true)
        {
            var status = await CommandRun.OfAsync("status", CaptureProcess.Source, "--log", capture.Connection);
            if (status.Code == code && status.Error.ReplaceLineEndings(" ").Contains(complaint, StringComparison.Ordinal))
                return;
            await Task.Delay(500, TestContext.Current.CancellationToken);
        }
    }

    private static async Task<List<uint>> LivesAsync(CaptureProcess capture, string name)
    {
        var lives = new List<uint>();
        await foreach (var page in capture.Log.ReadAsync(new StreamName(CaptureProcess.Source, name), cancellation: TestContext.Current.CancellationToken))
        {
            foreach (var logged in page)
            {
                if (logged.Kind == EventKind.MapOpened)
                    lives.Add(((MapOpened)NoteCodec.Read(logged.Kind, logged.Data.Span)).MapId);
            }
        }
        return lives;
    }
}
