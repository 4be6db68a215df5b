using System.Net;
using System.Net.Sockets;
using Maplog.HotStandby;

namespace Maplog.Tests.HotStandby;

public sealed class PolicyTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_hundred_thousand_connections_are_shared_out_by_weight()
    {
        const int all = 100_000;
        await using var world = new World();
        int[] weights = [5, 25, 70];
        for (var i = 0; i < weights.Length; i++)
            await world.StartAsync($"member-{i}", i, "policy=Weighted", $"weight={weights[i]}", "timeout=60000");
        var before = NetworkCounters.Read("TCPSynRetrans");
        await Task.WhenAll(Enumerable.Range(0, 4).Select(client => Task.Run(() =>
        {
            for (var i = 0; i < all / 4; i++)
                Connect(world.Address, client, i);
        })));
        using var group = world.Group();
        var chosen = group.Members().Select(m => (double)m.Chosen).ToArray();
        output.WriteLine($"weights {string.Join(", ", weights)}: chosen {string.Join(", ", chosen)}");
        // A SYN that found a full queue came again, and was given to somebody again.
        Assert.InRange(chosen.Sum(), all, all + NetworkCounters.Read("TCPSynRetrans") - before);
        for (var i = 0; i < weights.Length; i++)
        {
            // Five standard deviations of a binomial: one run in a million is outside.
            var share = weights[i] / 100.0;
            var (mean, bound) = (chosen.Sum() * share, 5 * Math.Sqrt(all * share * (1 - share)));
            Assert.InRange(chosen[i], mean - bound, mean + bound);
        }
    }

    [Fact]
    public async Task Weights_change_live_and_a_weight_of_nothing_takes_nothing()
    {
        await using var world = new World();
        await world.StartAsync("old", 0, "policy=Weighted", "weight=100");
        var canary = await world.StartAsync("canary", 0, "policy=Weighted", "weight=0");
        Assert.Equal(["old"], await AnswersAsync(world, 100));
        using var group = world.Group();
        group.Weigh("canary", 100);
        Assert.Equal(["canary", "old"], await AnswersAsync(world, 100));
        group.Weigh("old", 0);
        Assert.Equal(["canary"], await AnswersAsync(world, 100));
        group.Weigh("canary", 0);
        Assert.Equal(["canary", "old"], await AnswersAsync(world, 100)); // somebody must
        group.Weigh("canary", 100);
        await canary.KillAsync();
        Assert.Equal(["old"], await AnswersAsync(world, 100));
        await world.StartAsync("canary", 0, "policy=Weighted", "weight=0");
        Assert.Equal(100, world.Member("canary").Weight); // an operator's word outlives a restart
        group.Order(StandbyPolicy.Ranked);
        group.Promote("canary");
        Assert.Equal(["canary"], await AnswersAsync(world, 100));
    }

    [Fact]
    public async Task A_client_stays_with_its_member_and_only_the_clients_of_one_that_goes_are_moved()
    {
        const int clients = 60;
        await using var world = new World("0.0.0.0");
        var address = new IPEndPoint(IPAddress.Loopback, world.Address.Port);
        var members = new Dictionary<string, Service>();
        foreach (var name in new[] { "a", "b", "c" })
            members[name] = await world.StartAsync(name, 0, "policy=Sticky");
        var first = await AskAllAsync();
        Assert.Equal(3, first.Distinct().Count());
        Assert.Equal(first, await AskAllAsync());
        await members["b"].KillAsync();
        var without = await AskAllAsync();
        Assert.DoesNotContain("b", without);
        Assert.All(first.Zip(without), pair => Assert.True(pair.First == pair.Second || pair.First == "b"));
        await world.StartAsync("b", 0, "policy=Sticky");
        Assert.Equal(first, await AskAllAsync());

        async Task<List<string>> AskAllAsync()
        {
            var answers = new List<string>();
            for (var client = 0; client < clients; client++)
                answers.Add(await Client.AskAsync(address, IPAddress.Parse($"127.0.1.{client + 1}")));
            return answers;
        }
    }

    [Theory]
    [InlineData(StandbyPolicy.Ranked)]
    [InlineData(StandbyPolicy.Weighted)]
    [InlineData(StandbyPolicy.Sticky)]
    public async Task Of_members_that_are_all_ineligible_the_freshest_serve_as_the_policy_has_it(StandbyPolicy policy)
    {
        const uint second = 10; // as beside a replica, in tenths
        await using var world = new World();
        string[] names = ["a", "b", "c"];
        foreach (var name in names)
            await world.StartAsync(name, Array.IndexOf(names, name), $"policy={policy}", "timeout=60000");
        using var group = world.Group();
        Note(100 * second, 107 * second, 100 * second);
        Assert.Equal(["b"], await AnswersAsync(world, 60));
        Note(100 * second, 107 * second, 0); // of the last it is not known
        Assert.Equal(["b"], await AnswersAsync(world, 60));
        // What is less apart than they are noted is no difference.
        Note(100 * second, 106 * second, 107 * second);
        Assert.Equal(policy == StandbyPolicy.Ranked ? ["b"] : ["b", "c"], await AnswersAsync(world, 60));
        Note(0, 0, 0);
        Assert.Equal(policy == StandbyPolicy.Ranked ? ["a"] : ["a", "b", "c"], await AnswersAsync(world, 60));
        // Worse than lagging: the freshest is not asked.
        Note(100 * second, 107 * second, 100 * second);
        group.Drain("b");
        Assert.Equal(policy == StandbyPolicy.Ranked ? ["a"] : ["a", "c"], await AnswersAsync(world, 60));
        Assert.Equal(300ul, names.Aggregate(0ul, (sum, name) => sum + world.Member(name).LastResort));

        // As the members' checks of their replicas write it; these have none.
        void Note(params uint[] levels)
        {
            foreach (var (name, level) in names.Zip(levels))
            {
                ref var record = ref group.Record(world.Member(name).Slot);
                (record.Level, record.Eligible) = (level, 0);
            }
        }
    }

    [Fact]
    public async Task Held_failback_leaves_the_standby_serving_until_another_is_promoted()
    {
        await using var world = new World();
        await world.StartAsync("standby", 1, "failback=Held");
        var primary = await world.StartAsync("primary", 0, "failback=Held");
        using var group = world.Group();
        group.Promote("primary");
        Assert.Equal("primary", await Client.AskAsync(world.Address));
        await primary.KillAsync();
        Assert.Equal("standby", await Client.AskAsync(world.Address));
        await world.StartAsync("primary", 0, "failback=Held");
        Assert.Equal("standby", await Client.AskAsync(world.Address));
        Assert.True(world.Member("standby").IsIncumbent);
        group.Promote("primary");
        Assert.Equal("primary", await Client.AskAsync(world.Address));
        group.Order(failback: Failback.AtOnce);
        group.Promote("standby");
        Assert.Equal("standby", await Client.AskAsync(world.Address));
        group.Rank("standby", 5);
        Assert.Equal("primary", await Client.AskAsync(world.Address));
    }

    [Fact]
    public async Task A_datagram_goes_to_who_is_well_and_a_flow_stays_with_its_member()
    {
        await using var world = new World();
        await world.StartAsync("a", 0, "kind=udp", "policy=Weighted", "timeout=300");
        var b = await world.StartAsync("b", 0, "kind=udp", "policy=Weighted", "timeout=300");
        var flows = Enumerable.Range(0, 40).Select(_ => Flow()).ToList();
        var first = await AskAllAsync();
        Assert.Equal(2, first.Distinct().Count());
        Assert.Equal(first, await AskAllAsync());
        b.Suspend();
        await FailoverTests.UntilAsync(() => world.Member("b").Faults == StandbyFaults.Stale);
        Assert.Equal(["a"], (await AskAllAsync()).Distinct());
        b.Continue();
        await FailoverTests.UntilAsync(() => world.Member("b").Faults == StandbyFaults.None);
        Assert.Equal(first, await AskAllAsync());
        await b.StopAsync();
        Assert.Equal(["a"], (await AskAllAsync()).Distinct());
        flows.ForEach(f => f.Dispose());

        static Socket Flow()
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            return socket;
        }

        async Task<List<string?>> AskAllAsync()
        {
            var answers = new List<string?>();
            foreach (var flow in flows)
                answers.Add(await Client.AskByDatagramAsync(world.Address, flow));
            return answers;
        }
    }

    private static async Task<IEnumerable<string>> AnswersAsync(World world, int count)
    {
        var answers = new SortedSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
            answers.Add(await Client.AskAsync(world.Address, new IPAddress([127, 0, 2, (byte)(i + 1)])));
        return answers;
    }

    // A connection that is reset as soon as it is there; from many addresses, as there are not ports enough for one.
    private static void Connect(IPEndPoint address, int client, int number)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0) };
        socket.Bind(new IPEndPoint(new IPAddress([127, 1, (byte)client, (byte)(number % 250 + 1)]), 0));
        socket.Connect(address);
    }
}
