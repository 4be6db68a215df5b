using System.Net;
using Maplog.HotStandby;

namespace Maplog.Tests.HotStandby;

public sealed class PulseTests
{
    [Fact]
    public async Task A_member_whose_port_another_program_has_says_so()
    {
        await using var world = new World();
        await using var elsewhere = new World(); // the same address under another root: nobody can know of it
        var said = new List<string>();
        await using var member = new LocalMember(world, "primary", 0, o => o.Complain = said.Add);
        member.Serve(world.Address);
        await FailoverTests.UntilAsync(() => world.Member("primary").Faults == StandbyFaults.None);
        Assert.Empty(said);
        await using var stranger = new LocalMember(elsewhere, "stranger", 0);
        stranger.Serve(world.Address);
        await FailoverTests.UntilAsync(() => said.Count > 0);
        Assert.Contains($"another program has been attached at tcp {world.Address}", said[0]);
        // Once, not with every pulse.
        await FailoverTests.UntilAsync(() => world.Member("primary").Faults == StandbyFaults.Stale);
        Assert.Single(said);
    }

    [Fact]
    public async Task Who_is_told_of_a_pulse_that_fails_may_throw()
    {
        await using var world = new World();
        var told = 0;
        var member = StandbyMember.Join(new StandbyOptions
        {
            PinRoot = world.Root, Group = world.Name, Member = "primary", Timeout = TimeSpan.FromMilliseconds(40),
            Complain = _ =>
            {
                Interlocked.Increment(ref told);
                throw new InvalidOperationException("It is full.");
            },
        });
        StartOrderTests.Listen(member, world.Address).Dispose();
        await FailoverTests.UntilAsync(() => Volatile.Read(ref told) > 0);
        await member.DisposeAsync(); // the pulse has not failed
    }

    [Fact]
    public async Task A_timeout_that_is_lowered_finds_members_whose_heartbeat_keeps_up()
    {
        await using var world = new World();
        await using var member = new LocalMember(world, "primary", 0, o => o.Timeout = null);
        using var group = world.Group();
        group.Order(timeout: TimeSpan.FromMinutes(1));
        member.Serve(world.Address);
        await Task.Delay(100, TestContext.Current.CancellationToken); // its pulse pauses now, as the timeout has it
        group.Order(timeout: TimeSpan.FromMilliseconds(800));
        await FailoverTests.UntilAsync(() => world.Member("primary").BeatAge > TimeSpan.FromMilliseconds(800) || world.Member("primary").InGroup > TimeSpan.FromSeconds(3));
        Assert.Equal(StandbyFaults.None, world.Member("primary").Faults);
    }

    [Fact]
    public async Task Who_listens_on_every_address_has_a_heartbeat_where_there_is_no_IPv6()
    {
        const string setting = "/proc/sys/net/ipv6/conf/all/disable_ipv6";
        await using var world = new World("::");
        await File.WriteAllTextAsync(setting, "1", TestContext.Current.CancellationToken);
        try
        {
            await using var member = new LocalMember(world, "primary", 0);
            member.Serve(world.Address, dual: true);
            await FailoverTests.UntilAsync(() => world.Member("primary").InGroup > TimeSpan.FromSeconds(2));
            Assert.Equal(StandbyFaults.None, world.Member("primary").Faults);
            Assert.Equal("primary", await Client.AskAsync(new IPEndPoint(IPAddress.Loopback, world.Address.Port)));
        }
        finally
        {
            await File.WriteAllTextAsync(setting, "0", TestContext.Current.CancellationToken);
        }
    }
}
