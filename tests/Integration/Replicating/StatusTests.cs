using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Maplog.Kernel;
using Maplog.Servers;
using Maplog.Tests.Integration.Cli;
using Xunit;

namespace Maplog.Tests.Integration.Replicating;

/// <summary>What an operator sees of a replicator: by HTTP, and by <c>maplog status</c> from any host.</summary>
public sealed class StatusTests(TestPostgres postgres) : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60), Pause = TimeSpan.FromMilliseconds(100);

    private readonly HttpClient _http = new();
    private readonly string _address = $"127.0.0.1:{FreePorts.Take("127.0.0.1", 1)[0]}";
    private ReplicatorWorld _world = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await ReplicatorWorld.MakeAsync(postgres);
        await _world.Source.OpenAsync();
        await _world.Source.ChangeAsync(1000);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _world.DisposeAsync();
    }

    [Fact]
    public async Task A_replica_is_ready_within_its_bound_and_says_why_when_it_is_not()
    {
        using var replicator = _world.Start("--http", _address, "--max-lag-versions", "500", "--node", "node-b");
        await ReadyAsync(replicator);
        Assert.Equal((HttpStatusCode.OK, "healthy\n"), await GetAsync("/healthz"));
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync("/other")).Status);

        // A stranger's entries leave the replica no room.
        using var map = BpfMap.OpenPinned(_world.Pin);
        Strangers(map, (key, value) => map.Update(key, value));
        await _world.Source.ChangeAsync(20_000);
        await replicator.WaitForAsync("is full at 5000 entries");
        await UntilAsync(async () => (await GetAsync("/readyz")).Status == HttpStatusCode.ServiceUnavailable, () => "It remained ready.");
        var (_, body) = await GetAsync("/readyz");
        Assert.StartsWith($"not ready\nlb-1/ct_map at {_world.Pin}: The replica is ", body, StringComparison.Ordinal);
        Assert.Contains("versions behind; its bound is 500 (MaxLagVersions). Replica", body, StringComparison.Ordinal);
        var (_, metrics) = await GetAsync("/metrics");
        Assert.Contains($"maplog_replicator_ready{{maplog_pin=\"{_world.Pin}\",maplog_stream=\"lb-1/ct_map\"}} 0", metrics, StringComparison.Ordinal);
        Assert.Matches($"maplog_replicator_refused_total{{[^}}]*}} [1-9]", metrics);

        Strangers(map, (key, _) => map.Delete(key));
        await ReadyAsync(replicator);
        await _world.EqualAsync(replicator);
        (_, metrics) = await GetAsync("/metrics");
        Assert.Contains($"maplog_replicator_lag_versions{{maplog_pin=\"{_world.Pin}\",maplog_stream=\"lb-1/ct_map\"}} 0", metrics, StringComparison.Ordinal);
        foreach (var name in new[] { "events_total", "repaired_total", "broken_total", "built_total", "cursor", "head", "lag_seconds", "state" })
            Assert.Contains($"\nmaplog_replicator_{name}{{", metrics, StringComparison.Ordinal);
        Assert.Contains("maplog_via=\"log\"", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("otel_scope", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_lists_a_replica_while_it_runs_and_not_after_an_orderly_stop()
    {
        using var replicator = _world.Start("--node", "node-b");
        await WellAsync(replicator);
        var json = await StatusAsync(0);
        var replica = Assert.Single(json.GetProperty("replicas").EnumerateArray());
        Assert.Equal(
            ("lb-1/ct_map", "node-b", _world.Pin, "polling", _world.Source.Head.Value, 0L),
            (Text(replica, "stream"), Text(replica, "node"), Text(replica, "pin"), Text(replica, "state"), replica.GetProperty("version").GetInt64(), replica.GetProperty("lagVersions").GetInt64()));
        Assert.Equal("lb-1/ct_map", Text(json.GetProperty("streams")[0], "stream"));

        Assert.Equal(0, await replicator.StopAsync());
        Assert.Empty((await StatusAsync(0)).GetProperty("replicas").EnumerateArray());
    }

    [Fact]
    public async Task A_replica_that_died_is_gone_until_it_is_forgotten_or_comes_back()
    {
        using (var killed = _world.Start("--node", "node-b"))
        {
            await WellAsync(killed);
            killed.Kill();
            await killed.EndAsync();
        }
        await UntilAsync(async () => await RunAsync("status") is { Code: 1 } run && run.Error.Contains("is gone since", StringComparison.Ordinal), () => "It was not missed.");
        Assert.Equal("gone", Text((await StatusAsync(1)).GetProperty("replicas")[0], "state"));
        Assert.Equal("No replica of node-c is gone: nothing to forget.\n", (await RunAsync("forget", "node-c")).Output);

        using (var next = _world.Start("--node", "node-b"))
        {
            await WellAsync(next);
            Assert.Equal("No replica of node-b is gone: nothing to forget.\n", (await RunAsync("forget", "node-b")).Output);
            next.Kill();
            await next.EndAsync();
        }
        await UntilAsync(async () => (await RunAsync("forget", "node-b")).Output.StartsWith("1 replica of node-b", StringComparison.Ordinal), () => "It was not forgotten.");
        Assert.Equal(0, (await RunAsync("status")).Code);
    }

    [Fact]
    public async Task A_replica_that_ended_for_a_reason_stays_listed_with_it()
    {
        using var replicator = _world.Start("--node", "node-b");
        await WellAsync(replicator);
        await _world.Source.OpenAsync(ReplicatorWorld.Shape with { MaxEntries = 6000 });
        Assert.Equal(1, await replicator.EndAsync());
        var replica = Assert.Single((await StatusAsync(1)).GetProperty("replicas").EnumerateArray());
        Assert.Equal("stopped", Text(replica, "state"));
        Assert.Contains("OnNewShape", Text(replica, "trouble"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_may_read_the_log_may_report_a_replica_and_write_nothing_else()
    {
        await _world.Log.QueryAsync("do $$ begin create role status_reader login password 'secret' in role maplog_reader; exception when duplicate_object then null; end $$");
        var connection = new Npgsql.NpgsqlConnectionStringBuilder(_world.Log.Options.ConnectionString) { Username = "status_reader", Password = "secret" }.ConnectionString;
        await using (var log = Npgsql.NpgsqlDataSource.Create(connection))
        {
            await using var insert = log.CreateCommand("delete from maplog.replicas");
            Assert.Equal("42501", (await Assert.ThrowsAsync<Npgsql.PostgresException>(() => insert.ExecuteNonQueryAsync(TestContext.Current.CancellationToken))).SqlState);
        }
        using var replicator = ReplicatorProcess.Start("--source", "lb-1", "--map", "ct_map", "--pin", _world.Pin, "--registry", _world.Registry, "--log", connection);
        await WellAsync(replicator);
        Assert.Equal(0, await replicator.StopAsync());
        Assert.DoesNotContain("gets no report", replicator.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_are_pushed_to_a_collector_that_is_named()
    {
        using var collector = new HttpListener();
        collector.Prefixes.Add($"http://{_address}/");
        collector.Start();
        using var replicator = _world.Start("--otlp", $"http://{_address}/v1/metrics", "--Maplog:Otlp:Protocol=HttpProtobuf", "--Maplog:Otlp:Interval=00:00:01");
        var pushed = await collector.GetContextAsync().WaitAsync(Patience, TestContext.Current.CancellationToken);
        using var body = new MemoryStream();
        await pushed.Request.InputStream.CopyToAsync(body, TestContext.Current.CancellationToken);
        pushed.Response.Close();
        Assert.Equal(("POST", "/v1/metrics", "application/x-protobuf"), (pushed.Request.HttpMethod, pushed.Request.RawUrl, pushed.Request.ContentType));
        var text = System.Text.Encoding.Latin1.GetString(body.ToArray());
        Assert.Contains("maplog.replicator.state", text, StringComparison.Ordinal);
        Assert.Contains("maplog-replicator", text, StringComparison.Ordinal);
        Assert.Equal(0, await replicator.StopAsync());
    }

    [Fact]
    public async Task A_port_that_is_taken_ends_it_with_a_sentence_before_it_begins()
    {
        using var taken = new TcpListener(IPEndPoint.Parse(_address));
        taken.Start();
        using var replicator = _world.Start("--http", _address);
        Assert.Equal(1, await replicator.EndAsync());
        Assert.Equal($"maplog-replicator: Cannot listen on {_address} (another process listens there): give another address with --http (Maplog:Http:Address), or end that process.", replicator.Output);

        using var elsewhere = _world.Start("--http", "192.0.2.1:9464");
        Assert.Equal(1, await elsewhere.EndAsync());
        Assert.StartsWith("maplog-replicator: Cannot listen on 192.0.2.1:9464 (", elsewhere.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', elsewhere.Output);
    }

    private Task ReadyAsync(ReplicatorProcess replicator) =>
        UntilAsync(async () => (await GetAsync("/readyz")).Status == HttpStatusCode.OK, () => $"It did not become ready. {replicator.Output}");

    // Listed, level with the log, and ready.
    private Task WellAsync(ReplicatorProcess replicator) => UntilAsync(
        async () => await RunAsync("status", "--json") is { Code: 0 } run && JsonDocument.Parse(run.Output).RootElement.GetProperty("replicas") is var all
            && all.GetArrayLength() == 1 && all[0].GetProperty("version").GetInt64() == _world.Source.Head.Value && Text(all[0], "state") == "polling",
        () => $"It was not listed as ready. {replicator.Output}");

    private static async Task UntilAsync(Func<Task<bool>> isSo, Func<string> complaint)
    {
        for (var left = Patience; !await isSo(); left -= Pause)
        {
            if (left < TimeSpan.Zero)
                Assert.Fail(complaint());
            await Task.Delay(Pause, TestContext.Current.CancellationToken);
        }
    }

    private async Task<JsonElement> StatusAsync(int code)
    {
        var run = await RunAsync("status", "lb-1", "--json");
        Assert.Equal(code, run.Code);
        return JsonDocument.Parse(run.Output).RootElement;
    }

    private Task<CommandRun> RunAsync(params string[] arguments) => CommandRun.OfAsync([.. arguments, "--log", _world.Log.Options.ConnectionString]);

    private async Task<(HttpStatusCode Status, string Body)> GetAsync(string path)
    {
        try
        {
            using var answer = await _http.GetAsync(new Uri($"http://{_address}{path}"), TestContext.Current.CancellationToken);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
        catch (HttpRequestException e)
        {
            return (0, e.Message); // not started yet
        }
    }

    private static void Strangers(BpfMap map, Action<byte[], byte[]> each)
    {
        var key = new byte[map.Info.KeySize];
        key[^1] = 1;
        for (var i = 0; i < 4000; i++)
        {
            BitConverter.TryWriteBytes(key, i);
            each(key, new byte[map.Info.ValueSize]);
        }
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
}
