using Maplog.HotStandby;
using Maplog.Replicas;
using Maplog.Tests.Integration.Replicating;

namespace Maplog.Tests.HotStandby;

/// <summary>Members that serve from replicas, kept by the replicator as an operator runs it, out of a real log.</summary>
public sealed class ReplicaTests(OwnPostgres postgres) : IAsyncLifetime
{
    private ReplicatorWorld _log = null!;

    private string Old => _log.PinOf("old");

    private string Fresh => _log.PinOf("fresh");

    public async ValueTask InitializeAsync()
    {
        _log = await ReplicatorWorld.MakeAsync(postgres);
        await _log.Source.OpenAsync();
        await _log.Source.ChangeAsync(2000);
    }

    public ValueTask DisposeAsync() => _log.DisposeAsync();

    [Fact]
    public async Task A_restarted_primary_does_not_take_traffic_back_before_its_replica_has_caught_up()
    {
        await using var world = new World();
        using var kept = _log.StartAt(Fresh);
        await world.StartAsync("standby", 1, $"replica={Fresh}", "timeout=60000");
        Service primary;
        using (var first = _log.StartAt(Old))
        {
            primary = await world.StartAsync("primary", 0, $"replica={Old}", "timeout=60000");
            await FailoverTests.UntilAsync(() => world.Member("primary").Faults == 0);
            Assert.Equal("primary", await Client.AskAsync(world.Address));
            // The node crashes, and the world goes on.
            await primary.KillAsync();
            first.Kill();
            await first.EndAsync();
        }
        for (var i = 0; i < 20; i++)
            await _log.Source.ChangeAsync(2000);
        await FailoverTests.UntilAsync(() => VersionOf(Fresh) == _log.Source.Head && world.Member("standby").Faults == 0);
        primary = await world.StartAsync("primary", 0, $"replica={Old}", "timeout=60000");
        Assert.Equal("standby", await Client.AskAsync(world.Address));
        Assert.NotEqual(_log.Source.Head, VersionOf(Old));

        using var again = _log.StartAt(Old);
        var bystandby = 0;
        for (var patience = Clock.Now() + Clock.Of(TimeSpan.FromMinutes(1)); await Client.AskAsync(world.Address) != "primary"; bystandby++)
        {
            Assert.True(Clock.Now() < patience, $"The primary did not come to serve; it is {world.Member("primary").Faults}.");
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
        Assert.Equal(_log.Source.Head, VersionOf(Old));
        Assert.True(_log.Source.Equals(Old));
        Assert.NotEqual(0, bystandby);
    }

    [Fact]
    public async Task Without_a_replicator_that_hangs_or_is_dead_a_member_serves_no_longer_than_its_bound()
    {
        await using var world = new World();
        using var kept = _log.StartAt(Fresh);
        using var replicator = _log.StartAt(Old);
        await world.StartAsync("standby", 1, $"replica={Fresh}", "timeout=60000");
        await world.StartAsync("primary", 0, $"replica={Old}", "timeout=60000");
        await FailoverTests.UntilAsync(() => world.Member("primary").Faults == 0 && world.Member("standby").Faults == 0);
        Assert.Equal("primary", await Client.AskAsync(world.Address));
        replicator.Suspend();
        // Nobody looks from here on but the program: the moment is in the record already, and no later than the bound allows.
        using (var group = world.Group())
            Assert.InRange(group.Record(world.Member("primary").Slot).Eligible, 1ul, Clock.Now() + Clock.Of(new StandbyOptions().MostLag));
        await IsServedByAsync(world, "standby");
        Assert.Equal(StandbyFaults.Ineligible, world.Member("primary").Faults);
        replicator.Continue();
        await IsServedByAsync(world, "primary");
        replicator.Kill();
        await replicator.EndAsync();
        await IsServedByAsync(world, "standby");
    }

    [Fact]
    public async Task Of_members_whose_replicas_all_lag_the_one_with_the_freshest_serves()
    {
        await using var world = new World();
        using var kept = _log.StartAt(Fresh);
        using var first = _log.StartAt(Old);
        await world.StartAsync("standby", 1, $"replica={Fresh}", "timeout=60000");
        await world.StartAsync("primary", 0, $"replica={Old}", "timeout=60000");
        await FailoverTests.UntilAsync(() => world.Member("primary").Faults == 0 && world.Member("standby").Faults == 0);
        Assert.Equal("primary", await Client.AskAsync(world.Address));
        first.Kill();
        await first.EndAsync();
        await IsServedByAsync(world, "standby");
        kept.Kill();
        await kept.EndAsync();
        await FailoverTests.UntilAsync(() => world.Member("standby").Faults == StandbyFaults.Ineligible);
        Assert.Equal(StandbyFaults.Ineligible, world.Member("primary").Faults);
        for (var i = 0; i < 20; i++)
            Assert.Equal("standby", await Client.AskAsync(world.Address));
        Assert.Equal(20ul, world.Member("standby").LastResort);
    }

    [Fact]
    public async Task A_member_whose_own_check_has_died_is_not_eligible_for_ever()
    {
        await using var world = new World();
        using var replicator = _log.StartAt(Fresh);
        var member = StandbyMember.Join(new StandbyOptions { PinRoot = world.Root, Group = world.Name, Member = "primary", Replicas = [Fresh], Heartbeat = false });
        await using (member)
        {
            using var socket = StartOrderTests.Listen(member, world.Address);
            await FailoverTests.UntilAsync(() => world.Member("primary").Faults == 0);
            await member.Checks.StopAsync();
            await FailoverTests.UntilAsync(() => world.Member("primary").Faults == StandbyFaults.Ineligible);
        }
    }

    [Fact]
    public async Task While_the_log_is_away_nobody_says_that_a_replica_is_level_and_the_lowest_rank_serves_as_a_last_resort()
    {
        await using var own = new OwnPostgres();
        await using var log = await ReplicatorWorld.MakeAsync(own);
        await log.Source.OpenAsync();
        await log.Source.ChangeAsync(100);
        await using var world = new World();
        using var replicator = log.Start();
        await world.StartAsync("standby", 1, $"replica={log.Pin}", "timeout=60000");
        await world.StartAsync("primary", 0, $"replica={log.Pin}", "timeout=60000");
        await FailoverTests.UntilAsync(() => world.Member("primary").Faults == 0 && world.Member("standby").Faults == 0);
        await own.StopAsync();
        await replicator.WaitForAsync("it is unknown whether the replica is level with the log");
        await FailoverTests.UntilAsync(() => world.Member("primary").Faults == StandbyFaults.Ineligible && world.Member("standby").Faults == StandbyFaults.Ineligible);
        Assert.Equal("primary", await Client.AskAsync(world.Address));
        Assert.Equal(1ul, world.Member("primary").LastResort);
        await own.StartAsync();
        await FailoverTests.UntilAsync(() => world.Member("primary").Faults == 0);
        await replicator.WaitForAsync("the log answers with its head again");
    }

    [Fact]
    public async Task Why_a_member_is_not_eligible_is_a_sentence()
    {
        await using var world = new World();
        var said = new List<string>();
        await using var member = StandbyMember.Join(new StandbyOptions
        {
            PinRoot = world.Root, Group = world.Name, Member = "primary", Replicas = [Old], Heartbeat = false, CheckEvery = TimeSpan.FromMilliseconds(20), Complain = said.Add,
        });
        using var socket = StartOrderTests.Listen(member, world.Address);
        await FailoverTests.UntilAsync(() => said.Count == 1);
        Assert.Equal($"Member primary of group web is not eligible; eligible members go before it: nothing is pinned at {Old}: its replicator has not created the replica, or the replica has another pin.", said[0]);
        using var replicator = _log.StartAt(Old);
        await FailoverTests.UntilAsync(() => said.Count == 2);
        Assert.Equal("Member primary of group web is eligible.", said[1]);
        await replicator.StopAsync();
        await FailoverTests.UntilAsync(() => said.Count == 3);
        Assert.Contains($"the replica {Old} was last level with its log ", said[2]);
    }

    private static Maplog.Events.StreamVersion VersionOf(string pin) => ReplicaMap.ReadCursor(pin)!.Value.Cursor.Version;

    private static async Task IsServedByAsync(World world, string member)
    {
        for (var tries = 0; await Client.AskAsync(world.Address) != member; tries++)
        {
            Assert.True(tries < 1000, $"{member} did not come to serve.");
            await Task.Delay(10);
        }
    }
}
