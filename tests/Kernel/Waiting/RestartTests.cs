using Maplog.Servers;

namespace Maplog.Tests.Kernel.Waiting;

/// <summary>Servers restart at any moment of the daemons' lives; no daemon ends of it, none is held up by it when it is to stop, and nothing is lost.</summary>
public sealed class RestartTests : IAsyncLifetime
{
    private const int Rounds = 5, LongestStart = 2_500, LongestStop = 400;

    private readonly PrivatePostgres _postgres = new();
    private readonly PrivateRabbitMq _rabbit = new();
    private readonly Random _dice = new(20_261_201);

    public async ValueTask InitializeAsync()
    {
        await Task.WhenAll(_postgres.StartAsync(), _rabbit.StartAsync());
        await WaitingDaemons.MigrateAsync(_postgres.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        await _postgres.DisposeAsync();
        await _rabbit.DisposeAsync();
    }

    [Fact(Timeout = 600_000)]
    public async Task Servers_may_restart_while_daemons_start()
    {
        using var daemons = Daemons("maplog_starts");
        for (var round = 0; round < Rounds; round++)
        {
            daemons.Start();
            await Task.WhenAll(Task.Run(() => daemons.Change(2_000), Cancel), MishapAsync(round, LongestStart));
            await daemons.AreEqualAsync();
            await daemons.StopAsync();
        }
        Assert.Equal(0, await WaitingDaemons.GapsAsync(_postgres.ConnectionString));
    }

    [Fact(Timeout = 600_000)]
    public async Task Servers_may_restart_while_one_daemon_takes_over_from_another_that_was_killed()
    {
        using var daemons = Daemons("maplog_takes");
        daemons.Start();
        await daemons.AreEqualAsync();
        for (var round = 0; round < Rounds; round++)
        {
            daemons.Change(2_000);
            await daemons.KillAsync();
            daemons.Change(500);
            daemons.Start();
            await MishapAsync(round, LongestStart);
            await daemons.AreEqualAsync();
        }
        await daemons.StopAsync();
        Assert.Equal(0, await WaitingDaemons.GapsAsync(_postgres.ConnectionString));
    }

    [Fact(Timeout = 600_000)]
    public async Task Servers_may_restart_while_daemons_stop()
    {
        using var daemons = Daemons("maplog_stops");
        for (var round = 0; round < Rounds; round++)
        {
            daemons.Start();
            await daemons.AreEqualAsync();
            daemons.Change(2_000);
            await Task.WhenAll(daemons.StopAsync(), MishapAsync(round, LongestStop));
        }
        daemons.Start();
        await daemons.AreEqualAsync();
        await daemons.StopAsync();
        Assert.Equal(0, await WaitingDaemons.GapsAsync(_postgres.ConnectionString));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private WaitingDaemons Daemons(string map)
    {
        var daemons = new WaitingDaemons(map);
        daemons.Set(_postgres.ConnectionString, _rabbit.Uri.AbsoluteUri);
        return daemons;
    }

    // By turns an orderly stop and a kill; RabbitMQ, which takes longest to come back, goes down every third time too.
    private async Task MishapAsync(int round, int longest)
    {
        var rabbit = Task.CompletedTask;
        await Task.Delay(_dice.Next(longest), Cancel);
        if (round % 3 == 0)
            rabbit = DownAndUpAsync(_rabbit, kills: round % 2 == 0);
        await DownAndUpAsync(_postgres, kills: round % 2 == 1);
        await rabbit;
    }

    private static async Task DownAndUpAsync(PrivateServer server, bool kills)
    {
        await (kills ? server.KillAsync() : server.StopAsync());
        await server.StartAsync();
    }
}
