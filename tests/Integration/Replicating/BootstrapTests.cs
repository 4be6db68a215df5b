using Maplog.Kernel;
using Maplog.Replicas;
using Maplog.Servers;
using Maplog.Snapshots;
using Xunit;

namespace Maplog.Tests.Integration.Replicating;

public sealed class BootstrapTests(TestPostgres postgres) : IAsyncLifetime
{
    private ReplicatorWorld _world = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await ReplicatorWorld.MakeAsync(postgres);
        await _world.Source.OpenAsync();
        for (var i = 0; i < 10; i++)
            await _world.Source.ChangeAsync(2000);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task From_a_snapshot_while_changes_pour_in_it_ends_equal()
    {
        var snapshot = (await new SnapshotTaker(_world.Log.Store).TakeAsync(_world.Source.Stream, cancellation: Cancel))!;
        using var pouring = new CancellationTokenSource();
        var pour = PourAsync(pouring.Token);
        using var replicator = _world.Start();
        await replicator.WaitForAsync("built");
        await pouring.CancelAsync();
        await pour;
        await _world.EqualAsync(replicator);
        Assert.True(replicator.Says($"begins with the snapshot at version {snapshot.Version}"), replicator.Output);
        Assert.Equal(0, await replicator.StopAsync());
        Assert.Equal(_world.Source.Head - snapshot.Version, replicator.EventsFromLog);
    }

    [Fact]
    public async Task What_the_log_does_not_have_goes_from_a_map_that_was_there()
    {
        await new SnapshotTaker(_world.Log.Store).TakeAsync(_world.Source.Stream, cancellation: Cancel);
        await _world.Source.ChangeAsync(500);
        using (var first = _world.Start())
        {
            await _world.EqualAsync(first);
            await first.StopAsync();
        }
        // The cursor is lost, entries are wrong, and some are a stranger's.
        File.Delete(ReplicaMap.CursorPin(_world.Pin));
        using (var map = BpfMap.OpenPinned(_world.Pin))
        {
            var key = new byte[24];
            for (var i = 0; i < 300; i++)
            {
                BitConverter.TryWriteBytes(key, i);
                map.Update(key, new byte[64]);
            }
            key[23] = 1;
            for (var i = 0; i < 300; i++)
            {
                BitConverter.TryWriteBytes(key, i);
                map.Update(key, new byte[64]);
            }
        }
        await _world.Source.ChangeAsync(500);
        using var pouring = new CancellationTokenSource();
        var pour = PourAsync(pouring.Token);
        using var replicator = _world.Start();
        await replicator.WaitForAsync("built");
        await pouring.CancelAsync();
        await pour;
        await _world.EqualAsync(replicator);
        Assert.True(replicator.Says("begins with the snapshot"), replicator.Output);
    }

    [Fact]
    public async Task A_damaged_snapshot_is_told_and_the_replica_is_built_without_it()
    {
        var taker = new SnapshotTaker(_world.Log.Store);
        await taker.TakeAsync(_world.Source.Stream, cancellation: Cancel);
        await _world.Source.ChangeAsync(500);
        await taker.TakeAsync(_world.Source.Stream, cancellation: Cancel);
        await _world.Log.QueryAsync("update maplog.snapshot_chunks set data = set_byte(data, 99, get_byte(data, 99) # 1)");
        await _world.Source.ChangeAsync(500);
        using var replicator = _world.Start();
        await _world.EqualAsync(replicator);
        Assert.True(replicator.Says("cannot be used; an earlier snapshot or the history is read instead", times: 2), replicator.Output);
    }

    private async Task PourAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
            await _world.Source.ChangeAsync(200);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
