using Maplog.Events;
using Maplog.Log;
using Maplog.Servers;
using Maplog.Snapshots;
using Maplog.Tests.Integration.Cli;

namespace Maplog.Tests.Kernel.Capturing;

/// <summary>What a daemon does for its log beside the events, without anybody asking.</summary>
public sealed class KeepingTests(TestPostgres postgres)
{
    [Fact(Timeout = 300_000)]
    public async Task A_daemon_writes_snapshots_and_fills_the_index_of_keys()
    {
        using var map = BusyMap.Create("maplog_kept");
        await using var capture = await CaptureProcess.StartWithAsync(
            postgres, map.Info.Name, "--snapshot-every", "00:00:01", "--Maplog:Capture:SnapshotAfter=1000", "--Maplog:Capture:SnapshotsKept=2");
        await capture.WatchesAsync(map.Info.Name);
        BusyMap.Change(map, 10_000, seed: 1);
        await capture.LoggedAsync(map.Info.Name, 10_000);
        var stream = new StreamName(CaptureProcess.Source, map.Info.Name);
        var (snapshots, audit) = (new SnapshotStore(capture.Store), new AuditReader(capture.Store));
        await UntilAsync(async () => (await snapshots.FindAsync(stream, new StreamVersion(long.MaxValue), cancellation: Cancel)).Any(s => s.Version.Value >= 10_000));
        await UntilAsync(async () => (await audit.ReadLagAsync(Cancel)).Single(l => l.Stream == stream).Behind == 0);

        BusyMap.Change(map, 10_000, seed: 2);
        await capture.LoggedAsync(map.Info.Name, 20_000);
        await capture.StopAsync();
        var whole = (await capture.FoldAsync(map.Info.Name)).Fold;
        Assert.Null(BusyMap.Difference(map, whole));
        Assert.Null(BusyMap.Difference(map, await new StreamHistory(capture.Store).ReadAsync(stream, cancellation: Cancel)));
        Assert.True((await snapshots.FindAsync(stream, whole.Version, cancellation: Cancel)).Count <= 2);
    }

    [Fact(Timeout = 300_000)]
    public async Task An_admin_prunes_while_the_daemon_writes_and_nothing_of_what_is_kept_is_touched()
    {
        using var map = BusyMap.Create("maplog_pruned");
        await using var capture = await CaptureProcess.StartWithAsync(postgres, map.Info.Name, "--Maplog:Capture:SealEvery=00:00:01");
        await capture.WatchesAsync(map.Info.Name);
        var stream = new StreamName(CaptureProcess.Source, map.Info.Name);
        BusyMap.Change(map, 10_000, seed: 1);
        await UntilAsync(async () => await capture.Log.ReadLatestAsync<Sealed>(stream, Cancel) is { } seal && seal.Note.Last > 10_000);
        var (before, sealedHead) = (DateTimeOffset.UtcNow, (await capture.Log.ReadHeadAsync(stream, Cancel)).Version.Value);
        var changing = Task.Run(() => BusyMap.Change(map, 60_000, seed: 2), Cancel); // what the ring holds, however busy the machine
        // The last record of a change stays in the log, and with it every seal that is later: until one comes after the seal there may be nothing to prune.
        await capture.LoggedAsync(map.Info.Name, sealedHead + 1000);

        var prune = await CommandRun.OfAsync("prune", $"{stream}", "--before", $"{before:O}", "--log", capture.Connection);
        Assert.Equal("", prune.Error);
        Assert.Matches($"^{stream}: [0-9]+ events are deleted; the stream begins at version [0-9]+, ", prune.Output);
        await changing;
        await capture.StopAsync();

        var first = (await capture.Log.ReadFirstAsync(stream, Cancel))!.Version.Value;
        Assert.True(first > 10_000, $"The stream begins at version {first}.");
        var head = (await capture.Log.ReadHeadAsync(stream, Cancel)).Version;
        var whole = await new StreamHistory(capture.Store).ReadAsync(stream, cancellation: Cancel);
        Assert.Equal(head, whole.Version);
        Assert.Null(BusyMap.Difference(map, whole));
        var check = await CommandRun.OfAsync("verify-log", $"{stream}", "--log", capture.Connection);
        Assert.Equal((0, ""), (check.Code, check.Error));
        Assert.Contains($"The history up to version {first - 1} is pruned", check.Output, StringComparison.Ordinal);
        var gone = await CommandRun.OfAsync("replay", $"{stream}", "--version", $"{first / 2}", "--log", capture.Connection);
        Assert.Equal(3, gone.Code);
        Assert.Contains("pruned", gone.Error, StringComparison.Ordinal);
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        while (!await isSo())
            await Task.Delay(100, Cancel);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
