using Maplog.Log;
using Maplog.Replicas;
using Maplog.Replicator.Following;
using Maplog.Replicator.Observing;
using Maplog.Snapshots;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maplog.Benchmarks.Rows;

/// <summary>A new replica, from the newest snapshot in Postgres to the pinned map that follows.</summary>
internal sealed class BootstrapRow : IRow
{
    public string Name => "bootstrap";

    public async Task<IReadOnlyList<Figure>> RunAsync(Bench bench, CancellationToken cancellation)
    {
        var log = await bench.FilledAsync(cancellation);
        var snapshot = await new SnapshotTaker(log.Store).TakeAsync(FilledLog.Stream, cancellation: cancellation) ?? throw new InvalidOperationException("There is no snapshot.");
        var bare = new BareMap((await new StreamHistory(log.Store).RestoreAsync(snapshot, cancellation: cancellation)).Entries);
        var times = await bench.MediansAsync(
            async () =>
            {
                await CopyAsync(log, snapshot, cancellation);
                bare.Write(bench.NewPin(), bench.Sizes);
            },
            () => BuildAsync(bench.NewPin(), log, snapshot, cancellation));
        return [Figure.Compared(Name, times[1], times[0], "s", "COPY of the same bytes, and bare batch updates of the result", times[1] / times[0], 2, 1.3)];
    }

    private static async Task CopyAsync(FilledLog log, Snapshot snapshot, CancellationToken cancellation)
    {
        await using var connection = await log.Store.Database.OpenConnectionAsync(cancellation);
        await using var copy = await connection.BeginRawBinaryCopyAsync($"copy (select data from {log.Store.Schema}.snapshot_chunks where snapshot = {snapshot.Number} order by chunk) to stdout (format binary)", cancellation);
        var buffer = new byte[1 << 20];
        while (await copy.ReadAsync(buffer, cancellation) > 0)
        {
        }
    }

    // The replicator's own session, until its cursor is at the head.
    private static async Task BuildAsync(string pin, FilledLog log, Snapshot snapshot, CancellationToken cancellation)
    {
        using var registry = WriterRegistry.Open(Path.GetDirectoryName(pin)!);
        using var replica = ReplicaMap.Open(pin, FilledLog.Stream, snapshot.Opened.Note, registry);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await using var heads = new HeadWatch(log.Store, TimeProvider.System);
        await using var pins = new PinWatch(registry, TimeProvider.System, NullLogger.Instance);
        var host = new ReplicaHost(log.Store, heads, pins, registry, TimeSpan.Zero, TimeProvider.System);
        var status = new ReplicaStatus(FilledLog.Stream, pin, new LagBound(TimeSpan.FromSeconds(10), null), TimeProvider.System, () => { });
        var session = new ReplicaSession(replica, new ReplicaInbox(), new ReplicaReport(NullLogger.Instance, status), host);
        var running = session.RunAsync(rebuild: false, stop.Token);
        while (session.Cursor.Version < log.Head && !running.IsCompleted)
            await Task.Delay(1, cancellation);
        await stop.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (session.Cursor.Version != log.Head)
            throw new InvalidOperationException($"The replica came to version {session.Cursor.Version} of {log.Head}: {running.Exception?.Message}");
    }
}
