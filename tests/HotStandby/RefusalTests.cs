using System.Net;
using System.Net.Sockets;
using Maplog.HotStandby;

namespace Maplog.Tests.HotStandby;

/// <summary>What cannot be is said in a sentence, and nothing is left half done.</summary>
public sealed class RefusalTests
{
    [Fact]
    public async Task A_port_that_a_stranger_holds_is_named()
    {
        await using var world = new World();
        using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        stranger.Bind(world.Address);
        stranger.Listen();
        await using var member = Join(world, "primary", o => o.Heartbeat = false);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var refused = Assert.Throws<StandbyException>(() => member.Bind(socket, world.Address));
        Assert.Contains($"cannot bind tcp {world.Address}", refused.Message);
        Assert.Contains("EADDRINUSE", refused.Message);
        Assert.Empty(world.Member("primary").Listens);
        // Nothing of it is in the way once the stranger has left.
        stranger.Dispose();
        using var again = StartOrderTests.Listen(member, world.Address);
        Assert.Equal([$"tcp {world.Address}"], world.Member("primary").Listens);
    }

    [Fact]
    public async Task Without_a_capability_it_is_named_and_nothing_is_left_half_made()
    {
        await using var world = new World();
        var refused = await world.Prepare("primary", 0, "caps=-all").RefusalAsync();
        Assert.Contains("this process lacks CAP_BPF", refused);
        Assert.Empty(Directory.EnumerateFileSystemEntries(world.Root));
    }

    [Fact]
    public async Task CAP_BPF_is_all_that_a_member_needs()
    {
        await using var world = new World();
        await world.StartAsync("primary", 0, "caps=-all,+bpf");
        Assert.Equal("primary", await Client.AskAsync(world.Address));
    }

    [Fact]
    public async Task A_name_that_a_live_member_has_is_refused_and_that_of_a_draining_one_is_not()
    {
        await using var world = new World();
        await using var first = Join(world, "primary");
        var refused = Assert.Throws<StandbyException>(() => Join(world, "primary"));
        Assert.Contains($"exists already, as process {Environment.ProcessId}", refused.Message);
        first.Drain();
        await using var second = Join(world, "primary");
        Assert.NotEqual(first.Slot, second.Slot);
    }

    [Fact]
    public async Task A_policy_that_the_group_does_not_have_is_refused_unless_an_operator_has_set_it()
    {
        await using var world = new World();
        await using var first = Join(world, "primary", o => o.Policy = StandbyPolicy.Ranked);
        var refused = Assert.Throws<StandbyException>(() => Join(world, "standby", o => o.Policy = StandbyPolicy.Weighted));
        Assert.Contains("it asks for the policy Weighted, but the present members have Ranked", refused.Message);
        using var group = world.Group();
        group.Order(StandbyPolicy.Sticky);
        await using var second = Join(world, "standby", o => o.Policy = StandbyPolicy.Weighted);
        Assert.Equal(StandbyPolicy.Sticky, group.Policy);
    }

    [Fact]
    public async Task A_group_of_another_version_is_refused_and_can_be_removed()
    {
        await using var world = new World();
        await Join(world, "primary").DisposeAsync();
        using (var group = world.Group())
            group.Settings.Layout = 99;
        var refused = Assert.Throws<StandbyException>(() => Join(world, "primary"));
        Assert.Contains("does not belong to this version of maplog: its layout is 99", refused.Message);
        StandbyGroup.Remove(world.Root, world.Name);
        await using var member = Join(world, "primary");
    }

    [Fact]
    public async Task A_full_group_takes_nobody_and_a_group_with_members_cannot_be_removed()
    {
        await using var world = new World();
        var members = Enumerable.Range(0, StandbyGroup.MostMembers).Select(i => Join(world, $"member-{i}")).ToList();
        Assert.Contains("is full", Assert.Throws<StandbyException>(() => Join(world, "one-more")).Message);
        Assert.Contains("Stop its members first", Assert.Throws<StandbyException>(() => StandbyGroup.Remove(world.Root, world.Name)).Message);
        members.ForEach(m => m.Dispose());
        await using var again = Join(world, "one-more");
    }

    [Fact]
    public async Task A_group_without_migration_says_so_and_serves()
    {
        await using var world = new World();
        var said = new List<string>();
        await using var member = Join(world, "primary", o => (o.Migrate, o.Heartbeat, o.Complain) = (false, false, said.Add));
        using var socket = StartOrderTests.Listen(member, world.Address);
        Assert.Contains($"cannot move connections that wait in the queue of a closing listener at tcp {world.Address}", Assert.Single(said));
        Assert.False(member.Migrates);
        var client = Client.ConnectAsync(world.Address);
        (await socket.AcceptAsync(TestContext.Current.CancellationToken)).Dispose();
        (await client).Dispose();
    }

    [Fact]
    public void Every_mistake_of_the_options_is_told_at_once()
    {
        var refused = Assert.Throws<StandbyException>(() => StandbyMember.Join(new StandbyOptions { Group = "We.b", Rank = -1, Weight = 2_000_000, Timeout = TimeSpan.Zero }));
        Assert.All(["Group:", "Member:", "Rank:", "Weight:", "Timeout:"], name => Assert.Contains(name, refused.Message));
    }

    [Fact]
    public async Task A_port_of_zero_and_a_socket_that_was_not_bound_here_are_refused()
    {
        await using var world = new World();
        await using var member = Join(world, "primary");
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.Contains("name one", Assert.Throws<StandbyException>(() => member.Bind(socket, new IPEndPoint(IPAddress.Loopback, 0))).Message);
        Assert.Contains("call Bind before the socket listens", Assert.Throws<StandbyException>(() => member.Serve(socket)).Message);
        member.Bind(socket, world.Address);
        Assert.ThrowsAny<Exception>(() => member.Serve(socket)); // does not listen yet
    }

    private static StandbyMember Join(World world, string name, Action<StandbyOptions>? more = null)
    {
        var options = new StandbyOptions { PinRoot = world.Root, Group = world.Name, Member = name };
        more?.Invoke(options);
        return StandbyMember.Join(options);
    }
}
