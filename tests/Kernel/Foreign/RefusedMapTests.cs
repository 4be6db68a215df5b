using Maplog.Events;
using Maplog.Servers;
using Maplog.Tests.Kernel.Capturing;
using Maplog.Tests.Recorded;

namespace Maplog.Tests.Kernel.Foreign;

/// <summary>Maps that this process may not open, though it may open others: EPERM for one id, as security programs do it.</summary>
public sealed class RefusedMapTests(TestPostgres postgres) : IDisposable
{
    private const string Name = "maplog_barred";

    private static readonly string Maplog = Path.Combine(Repository.Bin, "maplog");

    private readonly Refusal _refusal = new();

    [Fact(Timeout = 300_000)]
    public async Task A_map_of_another_program_that_may_not_be_opened_ends_nothing()
    {
        using var other = BusyMap.Create("maplog_secret");
        using var map = BusyMap.Create(Name);
        _refusal.Refuse(other.Info.Id);
        await using var capture = await CaptureProcess.StartRefusedAsync(postgres, _refusal, Name);
        await capture.WatchesAsync(Name);
        BusyMap.Change(map, 500);
        while (BusyMap.Difference(map, (await capture.FoldAsync(Name)).Fold) is not null)
            await Task.Delay(100, TestContext.Current.CancellationToken);
        Assert.Contains($"may not open 1 map of this kernel (ids {other.Info.Id})", capture.Said, StringComparison.Ordinal);
        await Command.RunAsync("/", [.. _refusal.Command, Maplog, "verify", $"{CaptureProcess.Source}/{Name}", Name, "--log", capture.Connection]);
        await Command.RunAsync("/", [.. _refusal.Command, Maplog, "doctor", "--only", "kernel", "--only", "privileges", "--only", "probes"]);
        await capture.StopAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task A_watched_map_that_may_no_longer_be_opened_is_recorded_on_and_compared_when_it_may()
    {
        using var map = BusyMap.Create(Name);
        await using var capture = await CaptureProcess.StartRefusedAsync(postgres, _refusal, Name);
        await capture.WatchesAsync(Name);
        _refusal.Refuse(map.Info.Id);
        await capture.SaysAsync("cannot be read (EPERM)");
        BusyMap.Change(map, 1_500);
        await capture.LoggedAsync(Name, 1_503);
        _refusal.Refuse();
        while (BusyMap.Difference(map, (await capture.FoldAsync(Name)).Fold) is not null)
            await Task.Delay(100, TestContext.Current.CancellationToken);
        await capture.StopAsync();
        Assert.Equal(0, (await capture.FoldAsync(Name)).Gaps);
        Assert.Null(await capture.Log.ReadLatestAsync<MapClosed>(new StreamName(CaptureProcess.Source, Name), TestContext.Current.CancellationToken));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_map_of_a_watched_name_that_may_not_be_opened_is_told_of_and_logged_with_a_gap_when_it_may()
    {
        using var map = BusyMap.Create(Name);
        _refusal.Refuse(map.Info.Id);
        await using var capture = await CaptureProcess.StartRefusedAsync(postgres, _refusal, Name);
        BusyMap.Change(map, 1_500);
        await capture.SaysAsync($"Map {Name} (id {map.Info.Id}) has a watched name, but this process may not open it (EPERM)");
        BusyMap.Change(map, 1_500, seed: 2);
        _refusal.Refuse();
        await capture.WatchesAsync(Name);
        while (BusyMap.Difference(map, (await capture.FoldAsync(Name)).Fold) is not null)
            await Task.Delay(100, TestContext.Current.CancellationToken);
        var gap = await capture.Log.ReadLatestAsync<GapFound>(new StreamName(CaptureProcess.Source, Name), TestContext.Current.CancellationToken);
        Assert.True(gap?.Note.Reason == "late-attach", $"{gap}\n{capture.Said}");
        await capture.StopAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task A_watched_pin_that_may_not_be_opened_is_told_of_and_tried_again()
    {
        using var pins = new PinFolder();
        using var map = BusyMap.Create(Name);
        map.Pin(pins["barred"]);
        _refusal.Refuse(pins["barred"]);
        await using var capture = await CaptureProcess.StartRefusedAsync(postgres, _refusal, $"pin:{pins["barred"]}=barred");
        await capture.SaysAsync($"'pin:{pins["barred"]}' means no map: Cannot open the pinned map");
        _refusal.Refuse();
        await capture.WatchesAsync("barred");
        await capture.StopAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task BTF_that_may_not_be_read_leaves_the_map_without_it()
    {
        using var map = ShortLivedMap.Create(Name);
        _refusal.Refuse($"b{map.Info.BtfId}");
        await using var capture = await CaptureProcess.StartRefusedAsync(postgres, _refusal, Name);
        await capture.WatchesAsync(Name);
        ShortLivedMap.Change(map, 1);
        await capture.LoggedAsync(Name, 3);
        await capture.StopAsync();
        Assert.Null((await capture.FoldAsync(Name)).Fold.Generation?.Btf);
    }

    public void Dispose() => _refusal.Dispose();
}
