using System.Net;
using System.Net.Sockets;
using Maplog.HotStandby;

namespace Maplog.Tests.HotStandby;

public sealed class KestrelTests
{
    [Fact]
    public async Task A_web_application_fails_over_on_crash_hang_and_deploy()
    {
        string[] settings = ["kind=kestrel", "timeout=500"];
        await using var world = new World();
        await world.StartAsync("standby", 1, settings);
        Assert.Equal("standby", await GetAsync(world.Address));
        var primary = await world.StartAsync("primary", 0, settings);
        Assert.Equal("primary", await GetAsync(world.Address));
        await primary.KillAsync();
        Assert.Equal("standby", await GetAsync(world.Address));

        primary = await world.StartAsync("primary", 0, settings);
        Assert.Equal("primary", await GetAsync(world.Address));
        await primary.StopAsync();
        Assert.Equal("standby", await GetAsync(world.Address));

        primary = await world.StartAsync("primary", 0, settings);
        Assert.Equal("primary", await GetAsync(world.Address));
        await primary.TellAsync("hang");
        await FailoverTests.UntilAsync(() => world.Member("primary").Faults == StandbyFaults.Stale);
        Assert.Equal("standby", await GetAsync(world.Address));
    }

    [Fact]
    public async Task A_web_application_that_is_deployed_five_times_under_load_answers_every_request()
    {
        string[] settings = ["kind=kestrel"];
        await using var world = new World();
        await world.StartAsync("standby", 1, settings);
        var primary = await world.StartAsync("primary", 0, settings);
        var stopped = false;
        var answers = 0;
        var load = Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            while (!Volatile.Read(ref stopped))
            {
                await GetAsync(world.Address);
                Interlocked.Increment(ref answers);
                await Task.Delay(1);
            }
        })).ToList();
        for (var deploy = 0; deploy < 5; deploy++)
        {
            var spare = world.Prepare("primary", 0, [.. settings, "spare=1"]);
            var before = Volatile.Read(ref answers);
            await FailoverTests.UntilAsync(() => Volatile.Read(ref answers) > before + 20 || load.Exists(t => t.IsCompleted));
            await primary.StopAsync();
            await spare.GoAsync();
            primary = spare;
        }
        Volatile.Write(ref stopped, true);
        await Task.WhenAll(load);
    }

    [Fact]
    public async Task Localhost_is_both_families_and_each_fails_over()
    {
        await using var world = new World();
        string[] settings = ["kind=kestrel", $"address=localhost:{world.Address.Port}"];
        await world.StartAsync("standby", 1, settings);
        var primary = await world.StartAsync("primary", 0, settings);
        var both = new[] { world.Address, new IPEndPoint(IPAddress.IPv6Loopback, world.Address.Port) };
        foreach (var address in both)
            Assert.Equal("primary", await GetAsync(address));
        await primary.StopAsync();
        foreach (var address in both)
            Assert.Equal("standby", await GetAsync(address));
    }

    [Fact]
    public async Task Every_address_is_reached_by_both_families_and_fails_over()
    {
        await using var world = new World();
        string[] settings = ["kind=kestrel", $"address=[::]:{world.Address.Port}"];
        await world.StartAsync("standby", 1, settings);
        var primary = await world.StartAsync("primary", 0, settings);
        var both = new[] { world.Address, new IPEndPoint(IPAddress.IPv6Loopback, world.Address.Port) };
        foreach (var address in both)
            Assert.Equal("primary", await GetAsync(address));
        await primary.KillAsync();
        foreach (var address in both)
            Assert.Equal("standby", await GetAsync(address));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task Localhost_of_which_a_stranger_has_one_family_is_refused(string taken)
    {
        await using var world = new World(taken);
        using var stranger = new Socket(world.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        stranger.Bind(world.Address);
        stranger.Listen();
        var refused = await world.Prepare("primary", 0, "kind=kestrel", $"address=localhost:{world.Address.Port}").RefusalAsync();
        Assert.Contains($"cannot bind tcp {world.Address}", refused);
    }

    [Fact]
    public async Task A_web_application_that_listens_in_many_places_stops_without_an_error()
    {
        await using var world = new World();
        var address = string.Join(",", Enumerable.Range(1, 16).Select(n => $"127.0.0.{n}:{world.Address.Port}"));
        for (var round = 0; round < 5; round++)
        {
            var primary = await world.StartAsync("primary", 0, "kind=kestrel", $"address={address}");
            Assert.Equal("primary", await GetAsync(world.Address));
            await primary.StopAsync();
        }
    }

    [Fact]
    public async Task An_endpoint_that_is_configured_away_is_left_and_the_others_serve_on()
    {
        await using var world = new World();
        var second = new IPEndPoint(IPAddress.Parse("127.0.0.2"), world.Address.Port);
        string[] settings = ["kind=kestrel", $"address={world.Address},{second}"];
        await world.StartAsync("standby", 1, settings);
        var primary = await world.StartAsync("primary", 0, settings);
        Assert.Equal(("primary", "primary"), (await GetAsync(world.Address), await GetAsync(second)));
        await primary.TellAsync("forget");
        await FailoverTests.UntilAsync(() => world.Member("primary").Listens.Count == 1);
        Assert.Equal(("primary", "standby"), (await GetAsync(world.Address), await GetAsync(second)));
        Assert.Equal(StandbyFaults.None, world.Member("primary").Faults);
        await primary.StopAsync();
        Assert.Equal("standby", await GetAsync(world.Address));
    }

    private static async Task<string> GetAsync(IPEndPoint address)
    {
        using var client = new HttpClient { Timeout = Client.Patience };
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{address}/");
        request.Headers.ConnectionClose = true;
        using var response = await client.SendAsync(request);
        return (await response.Content.ReadAsStringAsync()).Split(' ')[0];
    }
}
