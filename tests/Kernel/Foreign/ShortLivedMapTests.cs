using Maplog.Events;
using Maplog.Servers;
using Maplog.Tests.Kernel.Capturing;

namespace Maplog.Tests.Kernel.Foreign;

/// <summary>Maps of a watched name that come and go faster than a daemon can look at them, with BTF that goes with them.</summary>
public sealed class ShortLivedMapTests(TestPostgres postgres)
{
    [Fact(Timeout = 300_000)]
    public async Task A_map_that_ended_before_its_turn_is_logged_with_its_BTF()
    {
        const string Name = "maplog_turn";
        var first = ShortLivedMap.Create(Name);
        await using var capture = await CaptureProcess.StartAsync(postgres, 16 << 20, null, Name);
        await capture.WatchesAsync(Name);
        using (var second = ShortLivedMap.Create(Name))
        {
            ShortLivedMap.Change(second, 7);
            await capture.SaysAsync("the newer map takes over");
        }
        first.Dispose();
        var lives = await LivesAsync(capture, Name, lives: 2);
        await capture.StopAsync();
        Assert.All(lives, life => Assert.NotNull(life.Opened.Btf));
        Assert.Equal([0, 1], lives.Select(l => l.Changes));
    }

    [Fact(Timeout = 300_000)]
    public async Task Maps_whose_BTF_is_gone_before_anybody_looks_are_all_logged()
    {
        const string Name = "maplog_brief";
        const int Maps = 800;
        await using var capture = await CaptureProcess.StartAsync(postgres, 16 << 20, null, Name);
        ShortLivedMap.Make(Name, Maps);
        var lives = await LivesAsync(capture, Name, Maps);
        await capture.StopAsync();
        Assert.All(lives, life => Assert.Equal(1, life.Changes));
        Assert.Equal(lives.Select(l => l.Opened.MapId).Order(), lives.Select(l => l.Opened.MapId));
    }

    [Fact(Timeout = 300_000)]
    public async Task Of_maps_that_come_and_go_beside_one_that_stays_so_many_are_logged_and_a_gap_has_the_number_of_the_others_changes()
    {
        const string Name = "maplog_crowd";
        const int Maps = 600, Kept = 256;
        var first = ShortLivedMap.Create(Name);
        await using var capture = await CaptureProcess.StartAsync(postgres, 16 << 20, null, Name);
        await capture.WatchesAsync(Name);
        ShortLivedMap.Make(Name, Maps);
        await capture.SaysAsync("more maps of this name were created, changed and closed");
        while (await MissedAsync(capture, Name) < Maps - Kept)
            await Task.Delay(100, TestContext.Current.CancellationToken);
        first.Dispose();
        var lives = await LivesAsync(capture, Name, 1 + Kept);
        Assert.Equal(Kept, lives.Sum(l => l.Changes));
        Assert.Equal(Maps - Kept, await MissedAsync(capture, Name));
        await capture.StopAsync();
    }

    private static async Task<List<(MapOpened Opened, int Changes, bool IsClosed)>> LivesAsync(CaptureProcess capture, string name, int lives)
    {
        while (true)
        {
            var found = new List<(MapOpened Opened, int Changes, bool IsClosed)>();
            await foreach (var page in capture.Log.ReadAsync(new StreamName(CaptureProcess.Source, name), cancellation: TestContext.Current.CancellationToken))
            {
                foreach (var logged in page)
                {
                    if (logged.Kind == EventKind.MapOpened)
                        found.Add(((MapOpened)NoteCodec.Read(logged.Kind, logged.Data.Span), 0, false));
                    else if (logged.Kind.IsChange())
                        found[^1] = found[^1] with { Changes = found[^1].Changes + 1 };
                    else if (logged.Kind == EventKind.MapClosed)
                        found[^1] = found[^1] with { IsClosed = true };
                }
            }
            if (found.Count(l => l.IsClosed) == lives)
                return found;
            Assert.False(capture.HasEnded, capture.Said);
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
    }

    private static async Task<long> MissedAsync(CaptureProcess capture, string name)
    {
        long missed = 0;
        await foreach (var page in capture.Log.ReadAsync(new StreamName(CaptureProcess.Source, name), cancellation: TestContext.Current.CancellationToken))
        {
            foreach (var logged in page)
                missed += logged.Kind == EventKind.GapFound && (GapFound)NoteCodec.Read(logged.Kind, logged.Data.Span) is { Reason: "waiting" } gap ? gap.Count : 0;
        }
        Assert.False(capture.HasEnded, capture.Said);
        return missed;
    }
}
