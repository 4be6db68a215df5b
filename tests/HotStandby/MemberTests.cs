using System.Net;
using System.Net.Sockets;
using Maplog.HotStandby;

namespace Maplog.Tests.HotStandby;

/// <summary>One member: what it may ask for, and when no more.</summary>
public sealed class MemberTests
{
    [Fact]
    public async Task Who_has_left_changes_nothing_any_more()
    {
        await using var world = new World();
        var left = Join(world, "primary");
        await left.DisposeAsync();
        await using var next = Join(world, "primary");
        Assert.Equal(left.Slot, next.Slot);
        Assert.All<Action>(
            [left.Drain, left.Resume, () => left.SetHealthy(false), () => left.SetEligible(false)],
            call => Assert.Throws<ObjectDisposedException>(call));
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.Throws<ObjectDisposedException>(() => left.Bind(socket, world.Address));
        Assert.Equal(StandbyFaults.None, world.Member("primary").Faults);
    }

    [Fact]
    public async Task A_second_socket_of_a_member_at_one_address_is_refused_and_the_first_stays()
    {
        await using var world = new World();
        await using var member = Join(world, "primary");
        using var first = StartOrderTests.Listen(member, world.Address);
        Assert.Contains($"has a socket at tcp {world.Address} already", Assert.Throws<StandbyException>(() => StartOrderTests.Listen(member, world.Address)).Message);
        var client = Client.ConnectAsync(world.Address);
        (await first.AcceptAsync(TestContext.Current.CancellationToken)).Dispose();
        (await client).Dispose();
        // One after another there may be as many as one likes.
        first.Dispose();
        using var second = StartOrderTests.Listen(member, world.Address);
        Assert.Equal([$"tcp {world.Address}"], world.Member("primary").Listens);
    }

    [Fact]
    public async Task A_drained_member_is_given_nothing_even_while_the_other_members_are_stale()
    {
        await using var world = new World();
        await using var primary = Join(world, "primary", TimeSpan.FromMilliseconds(200));
        await using var standby = Join(world, "standby", TimeSpan.FromMilliseconds(200));
        using var closing = Receive(primary, world.Address);
        using var stale = Receive(standby, world.Address);
        await primary.DrainAsync(TestContext.Current.CancellationToken);
        await Task.Delay(300, TestContext.Current.CancellationToken);
        primary.Beat(); // the standby is stale, the primary is not
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await client.SendToAsync("ask\n"u8.ToArray(), world.Address, TestContext.Current.CancellationToken);
        Assert.Equal((0, 4), (closing.Available, stale.Available));
    }

    [Fact]
    public async Task An_address_that_another_group_has_is_refused_and_free_when_that_has_left()
    {
        await using var world = new World();
        await using var member = Join(world, "primary");
        using var socket = StartOrderTests.Listen(member, world.Address);
        var options = new StandbyOptions { PinRoot = world.Root, Group = "other", Member = "stranger", Heartbeat = false };
        try
        {
            await using var stranger = StandbyMember.Join(options);
            var refused = Assert.Throws<StandbyException>(() => StartOrderTests.Listen(stranger, world.Address));
            Assert.Contains($"group other cannot serve at tcp {world.Address}: members of group web serve there, and only one group's program can choose at an address", refused.Message);
            var client = Client.ConnectAsync(world.Address);
            (await socket.AcceptAsync(TestContext.Current.CancellationToken)).Dispose();
            (await client).Dispose();
            await member.DisposeAsync();
            socket.Dispose();
            using var again = StartOrderTests.Listen(stranger, world.Address);
        }
        finally
        {
            StandbyGroup.Remove(world.Root, "other");
        }
    }

    [Fact]
    public void Checks_that_come_too_seldom_are_mistakes()
    {
        Assert.Contains("CheckEvery:", Refusal(o => o.CheckEvery = TimeSpan.FromDays(60)));
        Assert.Contains("CheckEvery:", Refusal(o => (o.CheckEvery, o.Replicas) = (TimeSpan.FromSeconds(6), ["/sys/fs/bpf/ct_map"])));
        Assert.Contains("Settle:", Refusal(o => o.Settle = TimeSpan.MaxValue));

        static string Refusal(Action<StandbyOptions> wrong)
        {
            var options = new StandbyOptions { PinRoot = "/nowhere", Group = "web", Member = "primary" };
            wrong(options);
            return Assert.Throws<StandbyException>(() => StandbyMember.Join(options)).Message;
        }
    }

    private static StandbyMember Join(World world, string name, TimeSpan? timeout = null)
    {
        var options = new StandbyOptions { PinRoot = world.Root, Group = world.Name, Member = name, Heartbeat = timeout is not null };
        if (timeout is { } stale)
            (options.Timeout, options.Pulse) = (stale, false);
        return StandbyMember.Join(options);
    }

    private static Socket Receive(StandbyMember member, IPEndPoint address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        member.Bind(socket, address);
        member.Serve(socket);
        return socket;
    }
}
