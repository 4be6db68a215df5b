using Maplog.Events;
using Maplog.Replicas;
using Maplog.Servers;
using Maplog.Tests.Integration.Cli;

namespace Maplog.Tests.Kernel.Capturing;

/// <summary>Maps that maplog itself makes on the host of a source: they have watched names, and are no sources.</summary>
public sealed class CopyTests(TestPostgres postgres)
{
    // The daemon looks at the kernel's maps once a second.
    private static readonly TimeSpan SeveralLooks = TimeSpan.FromSeconds(3);

    [Theory(Timeout = 300_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_map_that_replay_made_on_the_sources_host_does_not_take_over_the_stream(bool isSameFolder)
    {
        const string Name = "maplog_past";
        using var pins = new PinFolder();
        var source = BusyMap.Create(Name);
        BusyMap.Change(source, 1_000);
        await using var capture = await CaptureProcess.StartAsync(postgres, 1 << 20, null, Name);
        await capture.WatchesAsync(Name);
        await capture.LoggedAsync(Name, 2); // the stream is in the log
        var live = source.ReadAll(chunk: 4096, room: 4096).Count;
        while ((await capture.FoldAsync(Name)).Fold.Entries.Count != live)
            await Task.Delay(100, TestContext.Current.CancellationToken);
        var replay = await CommandRun.OfAsync(
            "replay", $"{CaptureProcess.Source}/{Name}", "--into", pins["then"], "--pin-root", isSameFolder ? capture.Registry : pins["other"], "--log", capture.Connection);
        Assert.True(replay.Code == 0, replay.Error);
        source.Dispose();
        await EndsClosedAsync(capture, Name);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_map_that_replay_made_is_captured_where_its_pin_is_watched()
    {
        using var pins = new PinFolder();
        using var registry = WriterRegistry.Open(pins["registry"]);
        await using var capture = await CaptureProcess.StartAsync(postgres, 1 << 20, null, $"pin:{pins["restored"]}=restored");
        using var copy = new HostRegistries(registry).MakeCopy(() => BusyMap.Create("maplog_restored"));
        copy.Pin(pins["restored"]);
        await capture.WatchesAsync("restored");
        await capture.StopAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task A_replica_of_a_replicator_with_another_registry_does_not_follow_its_source()
    {
        const string Name = "maplog_else";
        using var pins = new PinFolder();
        var source = BusyMap.Create(Name);
        await using var capture = await CaptureProcess.StartAsync(postgres, 1 << 20, null, Name);
        await capture.WatchesAsync(Name);
        using var registry = WriterRegistry.Open(pins["other"]);
        using var replica = registry.MakeReplica(new StreamName(CaptureProcess.Source, Name), () => BusyMap.Create(Name));
        source.Dispose();
        await EndsClosedAsync(capture, Name);
    }

    [Fact(Timeout = 300_000)]
    public async Task The_maps_of_the_hook_are_not_logged_by_a_prefix_that_means_them()
    {
        await using var capture = await CaptureProcess.StartAsync(postgres, 1 << 20, null, "maplog_*");
        using var map = BusyMap.Create("maplog_of_ours");
        BusyMap.Change(map, 100);
        await capture.WatchesAsync("maplog_of_ours");
        await Task.Delay(SeveralLooks, TestContext.Current.CancellationToken);
        var streams = await capture.Log.ListStreamsAsync(CaptureProcess.Source, TestContext.Current.CancellationToken);
        string[] own = ["maplog_verdicts", "maplog_beyond", "maplog_losses", "maplog_config", "maplog_accounts", "maplog_names", "maplog_writers", "maplog_replicas", "maplog_owner", "maplog_heads"];
        Assert.Empty(streams.Select(s => s.Stream.Map).Intersect(own));
        await capture.StopAsync();
    }

    private static async Task EndsClosedAsync(CaptureProcess capture, string name)
    {
        while (!(await LivesAsync(capture, name)).Contains(EventKind.MapClosed))
            await Task.Delay(100, TestContext.Current.CancellationToken);
        await Task.Delay(SeveralLooks, TestContext.Current.CancellationToken);
        await capture.StopAsync();
        Assert.Equal([EventKind.MapOpened, EventKind.MapClosed], await LivesAsync(capture, name));
    }

    private static async Task<List<EventKind>> LivesAsync(CaptureProcess capture, string name)
    {
        var lives = new List<EventKind>();
        await foreach (var page in capture.Log.ReadAsync(new StreamName(CaptureProcess.Source, name), cancellation: TestContext.Current.CancellationToken))
        {
            foreach (var logged in page)
            {
                if (logged.Kind is EventKind.MapOpened or EventKind.MapClosed)
                    lives.Add(logged.Kind);
            }
        }
        return lives;
    }
}
