using System.Net.Sockets;
using Maplog.HotStandby;

namespace Maplog.Tests.HotStandby;

public sealed class StartOrderTests
{
    public static TheoryData<string> Orders => ["012", "021", "102", "120", "201", "210"];

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task The_lowest_rank_serves_in_whatever_order_they_start_and_the_next_when_it_is_gone(string order)
    {
        await using var world = new World();
        var members = new Dictionary<int, Service>();
        foreach (var rank in order.Select(c => c - '0'))
        {
            members[rank] = await world.StartAsync($"member-{rank}", rank);
            Assert.Equal($"member-{members.Keys.Min()}", await Client.AskAsync(world.Address));
        }
        await members[0].KillAsync();
        Assert.Equal("member-1", await Client.AskAsync(world.Address));
        await members[1].KillAsync();
        Assert.Equal("member-2", await Client.AskAsync(world.Address));
        await world.StartAsync("member-0", 0);
        Assert.Equal("member-0", await Client.AskAsync(world.Address));
    }

    [Fact]
    public async Task Members_that_start_at_once_make_one_group()
    {
        await using var world = new World();
        var members = Enumerable.Range(0, 6).Select(rank => world.Prepare($"member-{rank}", rank, "spare=1")).ToList();
        await Task.WhenAll(members.Select(m => m.GoAsync()));
        Assert.Equal("member-0", await Client.AskAsync(world.Address));
        using var group = world.Group();
        Assert.Equal([0, 1, 2, 3, 4, 5], group.Members().Select(m => m.Rank));
        Assert.Single(Directory.EnumerateDirectories(Path.Combine(group.Folder, "endpoints")));
        Assert.Single(Directory.EnumerateDirectories(world.Root));
    }

    [Theory]
    [InlineData("127.0.0.1", "tcp")]
    [InlineData("0.0.0.0", "tcp")]
    [InlineData("::1", "tcp")]
    [InlineData("127.0.0.1", "udp")]
    [InlineData("::1", "udp")]
    public async Task A_standby_takes_over_and_gives_back_on_every_kind_of_address(string address, string kind)
    {
        await using var world = new World(address);
        await world.StartAsync("standby", 1, $"kind={kind}");
        var to = address == "0.0.0.0" ? new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, world.Address.Port) : world.Address;
        Assert.Equal("standby", await AskAsync());
        var primary = await world.StartAsync("primary", 0, $"kind={kind}");
        Assert.Equal("primary", await AskAsync());
        await primary.KillAsync();
        Assert.Equal("standby", await AskAsync());
        primary = await world.StartAsync("primary", 0, $"kind={kind}");
        Assert.Equal("primary", await AskAsync());
        await primary.StopAsync();
        Assert.Equal("standby", await AskAsync());

        async Task<string?> AskAsync() => kind == "udp" ? await Client.AskByDatagramAsync(to) : await Client.AskAsync(to);
    }

    [Fact]
    public async Task One_member_serves_several_ports_and_each_port_fails_over()
    {
        await using var world = new World();
        var second = new System.Net.IPEndPoint(System.Net.IPAddress.Parse("127.0.0.2"), world.Address.Port);
        await world.StartAsync("standby", 1);
        await using var member = StandbyMember.Join(new StandbyOptions { PinRoot = world.Root, Group = world.Name, Member = "primary", Heartbeat = false });
        using var one = Listen(member, world.Address);
        using var two = Listen(member, second);
        using var group = world.Group();
        Assert.Equal([$"tcp {world.Address}", $"tcp {second}"], group.Members().Single(m => m.Name == "primary").Listens.Order());
        using (await Client.ConnectAsync(second))
        using (await Client.ConnectAsync(world.Address))
        {
            (await one.AcceptAsync(TestContext.Current.CancellationToken)).Dispose();
            (await two.AcceptAsync(TestContext.Current.CancellationToken)).Dispose();
        }
        member.Drain();
        Assert.Equal("standby", await Client.AskAsync(world.Address));
    }

    internal static Socket Listen(StandbyMember member, System.Net.IPEndPoint address, bool dual = false)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        if (dual)
            socket.DualMode = true;
        try
        {
            member.Bind(socket, address);
            socket.Listen();
            member.Serve(socket);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
