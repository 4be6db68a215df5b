using Maplog.Kernel;
using Maplog.Replicas;
using Maplog.Servers;
using Xunit;

namespace Maplog.Tests.Integration.Replicating;

public sealed class WithoutBusTests(TestPostgres postgres) : IAsyncLifetime
{
    private ReplicatorWorld _world = null!;

    public async ValueTask InitializeAsync() => _world = await ReplicatorWorld.MakeAsync(postgres);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_replica_is_built_from_the_log_and_follows_it()
    {
        await _world.Source.OpenAsync();
        for (var i = 0; i < 5; i++)
            await _world.Source.ChangeAsync(3000);
        using var replicator = _world.Start();
        await _world.EqualAsync(replicator);
        await _world.Source.ChangeAsync(1000);
        await _world.EqualAsync(replicator);
        Assert.Equal(0, await replicator.StopAsync());
        Assert.Equal(_world.Source.Head.Value - 1, replicator.EventsFromLog); // from the event that opened the map on
    }

    [Fact]
    public async Task Killed_in_the_middle_it_goes_on_where_it_was_and_reads_nothing_from_the_beginning()
    {
        await _world.Source.OpenAsync();
        await _world.Source.ChangeAsync(20_000);
        using (var killed = _world.Start())
        {
            await killed.WaitForAsync("built");
            for (var i = 0; i < 10; i++)
                await _world.Source.ChangeAsync(500);
            killed.Kill();
            await killed.EndAsync();
        }
        var cursor = ReplicaMap.ReadCursor(_world.Pin)!.Value.Cursor.Version;
        for (var i = 0; i < 10; i++)
            await _world.Source.ChangeAsync(500);
        using var next = _world.Start();
        await _world.EqualAsync(next);
        Assert.Equal(0, await next.StopAsync());
        Assert.Equal(_world.Source.Head - cursor, next.EventsFromLog);
    }

    [Fact]
    public async Task The_replica_of_a_frozen_map_that_programs_only_read_is_frozen_and_another_follows_the_next_life()
    {
        await _world.Source.OpenAsync(ReplicatorWorld.Shape with { Flags = (int)MapFlags.ReadOnlyForPrograms });
        await _world.Source.ChangeAsync(500);
        using (var first = _world.Start())
        {
            await _world.EqualAsync(first);
            Assert.False(Frozen());
            await _world.Source.ChangeAsync(500);
            await _world.Source.FreezeAsync();
            await first.WaitForAsync("the source's map is frozen");
            await _world.EqualAsync(first);
            Assert.True(Frozen());
            Assert.Equal(0, await first.StopAsync());
        }
        using var next = _world.Start();
        await _world.Source.SealAsync();
        await next.WaitForAsync("map id");
        await _world.Source.OpenAsync();
        await _world.Source.ChangeAsync(500);
        await _world.EqualAsync(next);
        Assert.False(Frozen());
        Assert.False(next.Says("is frozen and stays frozen"), next.Output);
        // Built when it is frozen already.
        await _world.Source.FreezeAsync();
        await next.WaitForAsync("the source's map is frozen");
        File.Delete(_world.Pin);
        await next.WaitForAsync("the source's map is frozen", times: 2);
        await _world.EqualAsync(next);
        Assert.True(Frozen());
        Assert.Equal(0, await next.StopAsync());

        bool Frozen()
        {
            using var map = BpfMap.OpenPinned(_world.Pin, MapAccess.Read);
            return map.IsFrozen();
        }
    }

    [Fact]
    public async Task The_replica_of_a_frozen_map_that_programs_write_follows_them()
    {
        await _world.Source.OpenAsync();
        await _world.Source.ChangeAsync(500);
        await _world.Source.FreezeAsync();
        using var replicator = _world.Start();
        await _world.EqualAsync(replicator);
        await _world.Source.ChangeAsync(500);
        await _world.EqualAsync(replicator);
        Assert.Equal(0, await replicator.StopAsync());
    }

    [Fact]
    public async Task What_somebody_did_to_the_map_of_a_stream_at_rest_while_no_replicator_ran_is_put_right_and_told()
    {
        const string Often = "--Maplog:Replicator:CheckEvery=00:00:01";
        await _world.Source.OpenAsync();
        await _world.Source.ChangeAsync(1000);
        await _world.Source.SealAsync();
        using (var first = _world.Start(Often))
        {
            await _world.EqualAsync(first);
            Assert.Equal(0, await first.StopAsync());
        }
        using (var map = BpfMap.OpenPinned(_world.Pin))
        {
            var stranger = new byte[24];
            stranger[23] = 1;
            map.Update(stranger, new byte[64]);
        }
        using var next = _world.Start(Often);
        await next.WaitForAsync("another program has written into its map");
        await next.WaitForAsync("(entries written: 0, deleted: 1)");
        await _world.EqualAsync(next);
        Assert.Equal(0, await next.StopAsync());
    }

    [Fact]
    public async Task A_damaged_event_of_one_stream_leaves_the_others_known_as_level()
    {
        using var other = new SourceMap(_world.Writer, "lb-1/other", ReplicatorWorld.Shape);
        await _world.Source.OpenAsync();
        await other.OpenAsync();
        await other.ChangeAsync(10);
        using var replicator = _world.Start("--map", "other", "--pin", _world.PinOf("other"));
        await _world.EqualAsync(replicator);
        await Wait.UntilAsync(() => other.Equals(_world.PinOf("other")), TimeSpan.FromSeconds(60), () => replicator.Output);

        await _world.Log.TamperAsync($"update maplog.mt_events set bdata = '\\x00' where stream_id = 'lb-1/other' and version = {other.Head.Value}");
        var damaged = CursorRecord.LevelAt(Boot.Now());
        await Wait.UntilAsync(() => ReplicaMap.ReadCursor(_world.Pin)!.Value.Level > damaged + 30, TimeSpan.FromSeconds(20), () => $"It was not level any more. {replicator.Output}");
        // That of the damaged one ends, and says why.
        await replicator.WaitForAsync("begins with layout 0");
        Assert.Equal(1, await replicator.StopAsync());
    }

    [Fact]
    public async Task A_new_life_of_the_source_map_empties_the_replica()
    {
        await _world.Source.OpenAsync();
        await _world.Source.ChangeAsync(2000);
        using var replicator = _world.Start();
        await _world.EqualAsync(replicator);
        await _world.Source.OpenAsync();
        await _world.Source.ChangeAsync(100);
        await _world.EqualAsync(replicator);
    }

    [Fact]
    public async Task A_new_shape_stops_the_replica_in_words_for_both_and_keeps_what_it_had()
    {
        await _world.Source.OpenAsync();
        await _world.Source.ChangeAsync(2000);
        using var replicator = _world.Start();
        await _world.EqualAsync(replicator);
        await _world.Source.OpenAsync(ReplicatorWorld.Shape with { MaxEntries = 6000 });
        Assert.Equal(1, await replicator.EndAsync());
        Assert.Contains("5000 entries", replicator.Output);
        Assert.Contains("6000 entries", replicator.Output);
        Assert.Contains("OnNewShape", replicator.Output);
        Assert.Equal(2002, ReplicaMap.ReadCursor(_world.Pin)!.Value.Cursor.Version.Value - 1); // the term began, the map did not
    }

    [Fact]
    public async Task A_new_shape_is_taken_over_if_that_is_wanted()
    {
        await _world.Source.OpenAsync();
        await _world.Source.ChangeAsync(2000);
        using var replicator = _world.Start("--on-new-shape", "Recreate");
        await _world.EqualAsync(replicator);
        await _world.Source.OpenAsync(ReplicatorWorld.Shape with { MaxEntries = 6000 });
        await _world.Source.ChangeAsync(2000);
        await _world.EqualAsync(replicator);
        using var map = BpfMap.OpenPinned(_world.Pin, MapAccess.Read);
        Assert.Equal(6000u, map.Info.MaxEntries);
    }

    [Fact]
    public async Task A_full_replica_says_so_and_goes_on_when_there_is_room()
    {
        await _world.Source.OpenAsync();
        await _world.Source.ChangeAsync(100);
        using var replicator = _world.Start();
        await _world.EqualAsync(replicator);
        var stranger = new byte[24];
        stranger[23] = 1;
        using var map = BpfMap.OpenPinned(_world.Pin);
        for (var i = 0; i < 4000; i++)
        {
            BitConverter.TryWriteBytes(stranger, i);
            map.Update(stranger, new byte[64]);
        }
        await _world.Source.ChangeAsync(20_000);
        await replicator.WaitForAsync("is full at 5000 entries");
        for (var i = 0; i < 4000; i++)
        {
            BitConverter.TryWriteBytes(stranger, i);
            map.Delete(stranger);
        }
        await replicator.WaitForAsync("accepts writes again");
        await _world.EqualAsync(replicator);
    }

    [Fact]
    public async Task It_waits_for_a_stream_that_does_not_exist_yet()
    {
        using var replicator = _world.Start();
        await replicator.WaitForAsync("has no such stream yet");
        await _world.Source.OpenAsync();
        await _world.Source.ChangeAsync(100);
        await _world.EqualAsync(replicator);
    }

    [Fact]
    public async Task A_missing_schema_ends_it_with_what_to_do()
    {
        await using var empty = await Maplog.Tests.Integration.Log.LogDatabase.EmptyAsync(postgres);
        using var replicator = ReplicatorProcess.Start("--source", "lb-1", "--map", "ct_map", "--pin", _world.Pin, "--registry", _world.Registry, "--log", empty.Options.ConnectionString);
        Assert.Equal(1, await replicator.EndAsync());
        Assert.Contains("maplog migrate", replicator.Output);
    }

    [Fact]
    public async Task Every_wrong_setting_is_named_at_once()
    {
        using var replicator = ReplicatorProcess.Start("--source", "LB 1", "--map", "ct_map", "--pin", "replica", "--on-new-shape", "Explode", "--verbose", "--Maplog:Log:Schem=x");
        Assert.Equal(2, await replicator.EndAsync());
        Assert.Equal(
            ["--verbose", "Maplog:Log:ConnectionString", "Maplog:Log:Schem", "Maplog:Replicator:Replicas:0:OnNewShape", "Maplog:Replicator:Replicas:0:Pin", "Maplog:Replicator:Source"],
            replicator.Output.Split('\n').Select(l => l.Split(": ")[1]).Order(StringComparer.Ordinal));
    }
}
