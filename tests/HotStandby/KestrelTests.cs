using System.Net;
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

    private static async Task<string> GetAsync(IPEndPoint address)
    {
        using var client = new HttpClient { Timeout = Client.Patience };
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{address}/");
        request.Headers.ConnectionClose = true;
        using var response = await client.SendAsync(request);
        return (await response.Content.ReadAsStringAsync()).Split(' ')[0];
    }
}
