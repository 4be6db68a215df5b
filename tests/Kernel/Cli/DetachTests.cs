using Maplog.Kernel;
using Maplog.Servers;
using Maplog.Tests.Kernel.Capturing;
using Maplog.Tests.Integration.Cli;

namespace Maplog.Tests.Kernel.Cli;

public sealed class DetachTests(TestPostgres postgres)
{
    [Fact]
    public async Task All_pins_of_the_source_go_and_are_named()
    {
        var source = $"test-{Guid.NewGuid():N}";
        using var pins = new PinFolder();
        var folder = pins[source];
        Bpffs.EnsureMounted(folder);
        using (var map = BpfMap.Create("ring", MapType.Hash, 4, 4, 1))
        {
            map.Pin($"{folder}/ring");
            map.Pin($"{folder}/link_one");
        }

        var run = await CommandRun.OfAsync("detach", source, "--pin-root", pins.Folder);
        Assert.Equal("", run.Error);
        Assert.Equal(0, run.Code);
        Assert.Equal([$"removed {folder}/link_one", $"removed {folder}/ring", $"Source {source} is detached: 2 pins removed."], run.Lines);
        Assert.False(Directory.Exists(folder));

        var again = await CommandRun.OfAsync("detach", source, "--pin-root", pins.Folder, "--json");
        Assert.Equal(0, again.Code);
        Assert.Contains("\"removed\": []", again.Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_source_whose_capture_runs_is_not_detached_unless_it_is_forced_and_the_capture_goes_on()
    {
        using var map = BusyMap.Create("maplog_used");
        await using var capture = await CaptureProcess.StartStayingAsync(postgres, 16 << 20, map.Info.Name);
        await capture.WatchesAsync(map.Info.Name);
        string[] detach = ["detach", CaptureProcess.Source, "--pin-root", capture.Registry];
        var before = Directory.GetFiles(capture.Pins);

        var refused = await CommandRun.OfAsync(detach);
        Assert.Equal(1, refused.Code);
        Assert.Contains($"its capture runs, process {capture.Id} of node ", refused.Error, StringComparison.Ordinal);
        Assert.Contains("--force", refused.Error, StringComparison.Ordinal);
        Assert.Equal(before.Order(), Directory.GetFiles(capture.Pins).Order());

        var forced = await CommandRun.OfAsync([.. detach, "--force"]);
        Assert.Equal((0, ""), (forced.Code, forced.Error));
        await capture.LoggedGapAsync(map.Info.Name, "detached");
        BusyMap.Change(map, 1_000);
        while (BusyMap.Difference(map, (await capture.FoldAsync(map.Info.Name)).Fold) is not null)
            await Task.Delay(100, TestContext.Current.CancellationToken);
        await capture.StopAsync();
        Assert.Equal(0, (await CommandRun.OfAsync(detach)).Code);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_source_whose_capture_waits_for_its_log_is_not_detached_either()
    {
        await using var server = new PrivatePostgres();
        await server.StartAsync();
        using var map = BusyMap.Create("maplog_waits");
        await using var capture = await CaptureProcess.StartStayingOnAsync(server.ConnectionString, 16 << 20, map.Info.Name);
        await capture.WatchesAsync(map.Info.Name);
        await capture.LoggedAsync(map.Info.Name, 3);
        await capture.KillAsync();
        await server.StopAsync();
        capture.Start();
        await capture.SaysAsync("Waiting for the log");

        var refused = await CommandRun.OfAsync("detach", CaptureProcess.Source, "--pin-root", capture.Registry);
        Assert.Equal(1, refused.Code);
        Assert.Contains($"process {capture.Id} of node ", refused.Error, StringComparison.Ordinal);
    }
}
