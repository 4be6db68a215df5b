using System.Net;
using Maplog.Log;
using Maplog.Servers;
using Maplog.Tests.Integration.Log;
using Npgsql;
using Xunit;

namespace Maplog.Tests.Integration.Replicating;

/// <summary>A replicator believes only the server that the log is written to: a standby, or a primary that was left behind, tells nothing of the stream's head.</summary>
public sealed class FormerPrimaryTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60), Pause = TimeSpan.FromMilliseconds(100);

    private readonly PrivatePostgres _first = new();
    private readonly HttpClient _http = new();
    private readonly string _address = $"127.0.0.1:{FreePorts.Take("127.0.0.1", 1)[0]}";
    private PrivatePostgres _second = null!;
    private Crossing _crossing = null!;
    private ReplicatorWorld _world = null!;

    public async ValueTask InitializeAsync()
    {
        await _first.StartAsync();
        _crossing = new Crossing(_first.Port);
        _world = await ReplicatorWorld.MakeAsync(await LogDatabase.MigratedAsync(_first.ConnectionString));
        await _world.Source.OpenAsync();
        await _world.Source.ChangeAsync(20);
        _second = new PrivatePostgres(_first);
        await _second.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _world.DisposeAsync();
        await _crossing.DisposeAsync();
        await _second.DisposeAsync();
        await _first.DisposeAsync();
        _http.Dispose();
    }

    [Fact]
    public async Task A_replicator_whose_sessions_stayed_with_the_old_primary_finds_the_new_one_and_does_not_go_back()
    {
        using var replicator = Start();
        await SaysAsync("ready, at version 22, 0 behind", replicator);
        // A failover: the old primary runs on, and knows nothing of it.
        await UntilAsync(async () => await CountAsync(_second.ConnectionString) == 22, () => "The standby did not get all.");
        await _second.PromoteAsync();
        _crossing.Switch(_second.Port);
        await using var store = new LogStore(new LogOptions { ConnectionString = _second.ConnectionString });
        var source = _world.Source;
        source.GoOn(await LogWriter.OpenAsync(store, "lb-1", Cancel));
        await source.ChangeAsync(40);
        await Wait.UntilAsync(() => source.Equals(_world.Pin), Patience, () => $"It stayed with the old primary. {replicator.Output}");
        await SaysAsync("ready, at version 62, 0 behind", replicator);

        // And back, as by a proxy that takes the old primary for the better one: it is told from the new one by its timeline.
        _crossing.Switch(_first.Port);
        await EndSessionsAsync(_second.ConnectionString);
        await replicator.WaitForAsync("the server is a former primary");
        await UntilAsync(async () => (await GetAsync()).Status == HttpStatusCode.ServiceUnavailable, () => $"It remained ready. {replicator.Output}");
        Assert.True(source.Equals(_world.Pin));
        _crossing.Switch(_second.Port);
        store.RenewSessions();
        await source.ChangeAsync(40);
        await Wait.UntilAsync(() => source.Equals(_world.Pin), Patience, () => $"It did not come back. {replicator.Output}");
        Assert.Equal(0, await replicator.StopAsync());
        Assert.DoesNotContain("is another log than before", replicator.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_replicator_that_reaches_a_standby_is_not_ready_and_says_why()
    {
        _crossing.Switch(_second.Port);
        using var replicator = Start();
        await replicator.WaitForAsync("leads to a standby");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await GetAsync()).Status);
        await _second.PromoteAsync();
        await SaysAsync("ready, at version 22, 0 behind", replicator);
        Assert.Equal(0, await replicator.StopAsync());
    }

    [Fact]
    public async Task A_replicator_that_reads_a_primary_that_was_made_read_only_is_not_ready_and_says_why()
    {
        using var replicator = Start();
        await SaysAsync("ready, at version 22, 0 behind", replicator);
        await ExecuteAsync(_first.ConnectionString, "alter system set default_transaction_read_only = on");
        await ExecuteAsync(_first.ConnectionString, "select pg_reload_conf()");
        await replicator.WaitForAsync("takes no writes");
        await UntilAsync(async () => (await GetAsync()).Status == HttpStatusCode.ServiceUnavailable, () => $"It remained ready. {replicator.Output}");

        await UntilAsync(async () => await CountAsync(_second.ConnectionString) == 22, () => "The standby did not get all.");
        await _second.PromoteAsync();
        _crossing.Switch(_second.Port);
        await SaysAsync("ready, at version 22, 0 behind", replicator);
        Assert.Equal(0, await replicator.StopAsync());
    }

    private ReplicatorProcess Start() => ReplicatorProcess.Start(
        "--source", "lb-1", "--map", "ct_map", "--pin", _world.Pin, "--registry", _world.Registry, "--http", _address, "--max-lag", "00:00:05",
        "--log", new NpgsqlConnectionStringBuilder(_first.ConnectionString) { Port = _crossing.Port }.ConnectionString);

    private Task SaysAsync(string words, ReplicatorProcess replicator) =>
        UntilAsync(async () => (await GetAsync()).Body.Contains(words, StringComparison.Ordinal), () => $"'{words}' did not come. {replicator.Output}");

    private static async Task UntilAsync(Func<Task<bool>> isSo, Func<string> complaint)
    {
        for (var left = Patience; !await isSo(); left -= Pause)
        {
            if (left < TimeSpan.Zero)
                Assert.Fail(complaint());
            await Task.Delay(Pause, Cancel);
        }
    }

    private async Task<(HttpStatusCode Status, string Body)> GetAsync()
    {
        try
        {
            using var answer = await _http.GetAsync(new Uri($"http://{_address}/readyz"), Cancel);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel));
        }
        catch (HttpRequestException e)
        {
            return (0, e.Message); // not started yet
        }
    }

    private static async Task<long> CountAsync(string log)
    {
        await using var source = NpgsqlDataSource.Create($"{log};Pooling=false");
        await using var command = source.CreateCommand("select count(*) from maplog.mt_events");
        return (long)(await command.ExecuteScalarAsync(Cancel))!;
    }

    private static Task EndSessionsAsync(string log) =>
        ExecuteAsync(log, "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()");

    private static async Task ExecuteAsync(string log, string sql)
    {
        await using var source = NpgsqlDataSource.Create($"{log};Pooling=false");
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancel);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
