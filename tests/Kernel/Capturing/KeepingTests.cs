using Maplog.Events;
using Maplog.Log;
using Maplog.Servers;
using Maplog.Snapshots;

namespace Maplog.Tests.Kernel.Capturing;

/// <summary>What a daemon does for its log beside the events, without anybody asking.</summary>
public sealed class KeepingTests(TestPostgres postgres)
{
    [Fact(Timeout = 300_000)]
    public async Task A_daemon_writes_snapshots_fills_the_index_of_keys_and_records_a_prune_that_an_admin_orders()
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

        var record = new Pruned(0, 17, [1, 2, 3], [4, 5, 6], DateTimeOffset.UnixEpoch, "an admin");
        await new PruneStore(capture.Store).OrderAsync(stream, record, Cancel);
        LoggedNote<Pruned>? written = null;
        await UntilAsync(async () => (written = await capture.Log.ReadLatestAsync<Pruned>(stream, Cancel)) is not null);
        Assert.Equivalent(record with { Epoch = 1 }, written!.Note);
        var seal = await capture.Log.ReadLatestAsync<Sealed>(stream, Cancel);
        Assert.Equal(written.Version.Value, seal!.Note.Last);

        BusyMap.Change(map, 10_000, seed: 2);
        await capture.LoggedAsync(map.Info.Name, 20_000);
        await capture.StopAsync();
        var whole = (await capture.FoldAsync(map.Info.Name)).Fold;
        Assert.Null(BusyMap.Difference(map, whole));
        Assert.Null(BusyMap.Difference(map, await new StreamHistory(capture.Store).ReadAsync(stream, cancellation: Cancel)));
        Assert.True((await snapshots.FindAsync(stream, whole.Version, cancellation: Cancel)).Count <= 2);
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        while (!await isSo())
            await Task.Delay(100, Cancel);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
