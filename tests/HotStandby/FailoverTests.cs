using Maplog.HotStandby;

namespace Maplog.Tests.HotStandby;

public sealed class FailoverTests(ITestOutputHelper output)
{
    private const string Timeout = "timeout=300";

    [Fact]
    public async Task A_suspended_primary_gets_no_connection_once_its_heartbeat_is_stale_and_what_it_got_before_moves_when_it_is_killed()
    {
        await using var world = new World();
        await world.StartAsync("standby", 1, Timeout);
        var primary = await world.StartAsync("primary", 0, Timeout);
        Assert.Equal("primary", await Client.AskAsync(world.Address));
        primary.Suspend();
        var before = world.Member("primary").Chosen;
        var early = Enumerable.Range(0, 20).Select(_ => Client.TryAsync(world.Address)).ToList();
        await UntilAsync(() => world.Member("primary").Faults.HasFlag(StandbyFaults.Stale));

        var given = world.Member("primary").Chosen;
        for (var i = 0; i < 200; i++)
            Assert.Equal("standby", await Client.AskAsync(world.Address));
        Assert.Equal(given, world.Member("primary").Chosen);

        var migrated = world.Member("standby").Migrated;
        await primary.KillAsync();
        Assert.All(await Task.WhenAll(early), reply => Assert.Equal("standby", reply.Member));
        output.WriteLine($"{given - before} of {early.Count} connections were given to it before, {world.Member("standby").Migrated - migrated} migrated");
        Assert.Equal(given - before, world.Member("standby").Migrated - migrated);
    }

    [Fact]
    public async Task A_primary_whose_serving_path_hangs_is_passed_over_and_serves_again_when_it_is_replaced()
    {
        await using var world = new World();
        await world.StartAsync("standby", 1, Timeout);
        var primary = await world.StartAsync("primary", 0, Timeout);
        await primary.TellAsync("hang");
        await UntilAsync(() => world.Member("primary").Faults == StandbyFaults.Stale);
        Assert.Equal("standby", await Client.AskAsync(world.Address));
        await primary.KillAsync();
        await world.StartAsync("primary", 0, Timeout);
        Assert.Equal("primary", await Client.AskAsync(world.Address));
    }

    [Fact]
    public async Task A_primary_that_was_suspended_serves_again_once_it_runs()
    {
        await using var world = new World();
        await world.StartAsync("standby", 1, Timeout);
        var primary = await world.StartAsync("primary", 0, Timeout);
        primary.Suspend();
        await UntilAsync(() => world.Member("primary").Faults == StandbyFaults.Stale);
        Assert.Equal("standby", await Client.AskAsync(world.Address));
        primary.Continue();
        await UntilAsync(() => world.Member("primary").Faults == StandbyFaults.None);
        Assert.Equal("primary", await Client.AskAsync(world.Address));
    }

    [Fact]
    public async Task Idle_members_have_a_heartbeat_and_their_pulses_are_nobodys_connections()
    {
        await using var world = new World();
        await world.StartAsync("primary", 0, "timeout=100");
        await world.StartAsync("standby", 1, "timeout=100");
        await Task.Delay(400, TestContext.Current.CancellationToken);
        Assert.All(["primary", "standby"], name => Assert.Equal((StandbyFaults.None, 0ul), (world.Member(name).Faults, world.Member(name).Chosen)));
    }

    [Fact]
    public async Task An_unhealthy_or_lagging_primary_is_passed_over_until_its_check_says_otherwise()
    {
        await using var world = new World();
        await world.StartAsync("standby", 1);
        var primary = await world.StartAsync("primary", 0, "checks=1");
        Assert.Equal(StandbyFaults.Ineligible, world.Member("primary").Faults);
        Assert.Equal("standby", await Client.AskAsync(world.Address));
        await primary.TellAsync("eligible");
        await UntilAsync(() => world.Member("primary").Faults == StandbyFaults.None);
        Assert.Equal("primary", await Client.AskAsync(world.Address));
        await primary.TellAsync("unhealthy");
        await UntilAsync(() => world.Member("primary").Faults == StandbyFaults.Unhealthy);
        Assert.Equal("standby", await Client.AskAsync(world.Address));
        await primary.TellAsync("healthy");
        await UntilAsync(() => world.Member("primary").Faults == StandbyFaults.None);
        Assert.Equal("primary", await Client.AskAsync(world.Address));
    }

    [Fact]
    public async Task Of_members_that_all_have_faults_the_least_bad_serves_unless_the_group_refuses()
    {
        await using var world = new World();
        var standby = await world.StartAsync("standby", 1, "checks=1");
        await standby.TellAsync("eligible");
        await standby.TellAsync("unhealthy");
        var primary = await world.StartAsync("primary", 0);
        using var group = world.Group();
        await UntilAsync(() => world.Member("standby").Faults == StandbyFaults.Unhealthy);
        group.Drain("primary");
        Assert.Equal("standby", await Client.AskAsync(world.Address));
        Assert.Equal(1ul, world.Member("standby").LastResort);
        group.Order(refuse: true);
        Assert.Equal(Outcome.Refused, (await Client.TryAsync(world.Address)).Outcome);
        Assert.Equal(1ul, group.Nobody().Refused);
        group.Drain("primary", drain: false);
        Assert.Equal("primary", await Client.AskAsync(world.Address));
        Assert.False(primary.HasExited);
    }

    [Fact]
    public async Task Half_open_handshakes_and_connections_in_the_queue_of_a_closing_listener_are_served_by_the_survivor()
    {
        await using var world = new World();
        await world.StartAsync("standby", 1, "defer=1");
        var primary = await world.StartAsync("primary", 0, "defer=1", "timeout=60000");
        // With TCP_DEFER_ACCEPT a handshake stays half open on the server's side until the client says something.
        var halfOpen = new List<System.Net.Sockets.Socket>();
        for (var i = 0; i < 20; i++)
            halfOpen.Add(await Client.ConnectAsync(world.Address));
        primary.Suspend();
        var queued = Enumerable.Range(0, 20).Select(_ => Client.TryAsync(world.Address)).ToList();
        await UntilAsync(() => world.Member("primary").Chosen == 40);
        await primary.KillAsync();
        foreach (var socket in halfOpen)
        {
            Assert.Equal("standby", (await Client.FinishAsync(socket, TestContext.Current.CancellationToken).WaitAsync(Client.Patience, TestContext.Current.CancellationToken)).Member);
            socket.Dispose();
        }
        Assert.All(await Task.WhenAll(queued), reply => Assert.Equal("standby", reply.Member));
        Assert.True(world.Member("standby").Migrated >= 40);
    }

    internal static async Task UntilAsync(Func<bool> condition)
    {
        for (var tries = 0; !condition(); tries++)
        {
            Assert.True(tries < 1000, "What was waited for did not come.");
            await Task.Delay(10);
        }
    }
}
