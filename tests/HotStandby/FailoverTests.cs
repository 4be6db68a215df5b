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
        var (before, stopped) = (world.Member("primary").Chosen, Clock.Now());
        var early = Enumerable.Range(0, 20).Select(_ => Client.TryAsync(world.Address)).ToList();
        // By the clock and nothing else: from the timeout on nothing is given to it.
        while (Clock.Now() - stopped <= Clock.Of(world.Member("primary").Timeout))
            await Task.Delay(1, TestContext.Current.CancellationToken);

        var given = world.Member("primary").Chosen;
        Assert.NotEqual(before, given); // or there was nothing to move
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
        Assert.Equal("standby", await Client.AskAsync(world.Address));
        await UntilAsync(() => world.Member("primary").Faults == StandbyFaults.Ineligible);
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
    public async Task A_member_with_a_check_is_unhealthy_until_the_check_has_answered()
    {
        await using var world = new World();
        await world.StartAsync("standby", 1);
        var answer = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var primary = new LocalMember(world, "primary", 0, o => (o.CheckEvery, o.Healthy) = (TimeSpan.FromMinutes(1), async _ => await answer.Task));
        primary.Serve(world.Address);
        Assert.Equal(StandbyFaults.Unhealthy, world.Member("primary").Faults);
        Assert.Equal("standby", await Client.AskAsync(world.Address));
        answer.SetResult(true);
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

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_waits_at_a_hung_listener_when_it_closes_is_served_by_the_survivor_where_the_kernel_migrates_and_reset_where_not(bool migrate)
    {
        string[] settings = [$"migrate={(migrate ? 1 : 0)}", "quiet=1", "timeout=60000"];
        await using var world = new World();
        await world.StartAsync("standby", 1, settings);
        var primary = await world.StartAsync("primary", 0, settings);
        using (var group = world.Group())
            Assert.Equal(migrate, group.Migrates);
        await primary.TellAsync("hang");
        // One wakes its loop, which hangs; the pulse may have done so already.
        var queued = Enumerable.Range(0, 30).Select(_ => Client.TryAsync(world.Address)).ToList();
        await UntilAsync(() => world.Member("primary").Chosen == 30);
        await primary.TellAsync("close");
        var migrated = world.Member("standby").Migrated;
        await primary.KillAsync();
        var replies = await Task.WhenAll(queued);
        output.WriteLine($"migration {(migrate ? "on" : "off")}: {replies.Count(r => r.Outcome == Outcome.Answered)} of 30 answered, {replies.Count(r => r.Outcome == Outcome.Reset)} reset, {migrated} migrated");
        Assert.Equal(migrate ? (ulong)replies.Count(r => r.Outcome == Outcome.Answered) : 0, migrated);
        // What it had accepted before it hung is lost either way: one at most, for it hung over that.
        Assert.InRange(replies.Count(r => r.Outcome == Outcome.Answered), migrate ? 29 : 0, migrate ? 30 : 0);
        Assert.All(replies.Where(r => r.Outcome != Outcome.Answered), r => Assert.Equal(Outcome.Reset, r.Outcome));
    }

    [Fact]
    public async Task One_hung_port_of_a_member_is_passed_over_and_its_others_are_not()
    {
        await using var world = new World();
        var second = new System.Net.IPEndPoint(System.Net.IPAddress.Parse("127.0.0.2"), world.Address.Port);
        await using var standby = new LocalMember(world, "standby", 1);
        standby.Serve(world.Address);
        standby.Serve(second);
        await using var primary = new LocalMember(world, "primary", 0);
        primary.Serve(world.Address);
        primary.Serve(second);
        Assert.Equal(("primary", "primary"), (await Client.AskAsync(world.Address), await Client.AskAsync(second)));
        primary.Hang(second);
        await UntilAsync(() => world.Member("primary").Faults == StandbyFaults.Stale);
        for (var i = 0; i < 20; i++)
            Assert.Equal(("primary", "standby"), (await Client.AskAsync(world.Address), await Client.AskAsync(second)));
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
