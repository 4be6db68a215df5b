using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Maplog.Kernel;
using Maplog.Servers;
using Maplog.Tests.Recorded;

namespace Maplog.Tests.Kernel.Observing;

/// <summary>A capture and a replicator as an operator sees them: what they count, when they are ready, and why not.</summary>
public sealed class MetricsTests : IAsyncDisposable
{
    private const string Source = "seen", Map = "maplog_seen";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TestPostgres _postgres = new();
    private readonly PinFolder _pins = new();
    private readonly HttpClient _http = new();
    private readonly List<Command> _daemons = [];
    private readonly string[] _places = [.. FreePorts.Take("127.0.0.1", 2).Select(p => $"127.0.0.1:{p}")];

    private string CapturePlace => _places[0];

    private string ReplicaPlace => _places[1];

    [Fact]
    public async Task What_the_daemons_did_is_counted_and_a_log_that_is_away_makes_them_not_ready()
    {
        if (!File.Exists(Path.Combine(Repository.Bin, "maplog-capture")))
            await Command.RunAsync(Repository.Root, "scripts/build");
        var log = await _postgres.CreateDatabaseAsync("seen");
        var maplog = Path.Combine(Repository.Bin, "maplog");
        await Command.RunAsync("/", maplog, "migrate", "--log", log);
        await Command.RunAsync("/", maplog, "source", "add", Source, "--log", log);
        using var map = BpfMap.Create(Map, MapType.Hash, 8, 8, 1024);
        map.Update(new byte[8], new byte[8]);

        var capture = Start(
            "maplog-capture", "--source", Source, "--watch", Map, "--probe", "syscall", "--ring-bytes", "1048576", "--stay-attached", "false", "--pin-root", _pins["capture"],
            "--bus", "amqp://guest:guest@127.0.0.1:1", "--log", log, "--http", CapturePlace, "--node", "node-a");
        await capture.SaysAsync($"{Source}/{Map}: map ");
        var replicator = Start(
            "maplog-replicator", "--source", Source, "--map", Map, "--pin", _pins["replica"], "--registry", _pins["capture"],
            "--log", log, "--http", ReplicaPlace, "--max-lag", "00:00:03", "--node", "node-b");
        for (long i = 1; i <= 100; i++)
            map.Update(BitConverter.GetBytes(i), BitConverter.GetBytes(i));
        map.Delete(BitConverter.GetBytes(1L));

        await AnswersAsync(CapturePlace, "/readyz", HttpStatusCode.OK, "capturing");
        await AnswersAsync(ReplicaPlace, "/readyz", HttpStatusCode.OK, "ready, at version");
        await MeasuresAsync(CapturePlace, $$"""maplog_capture_changes_total{maplog_origin="syscall",maplog_stream="{{Source}}/{{Map}}"}""", 101);
        await MeasuresAsync(CapturePlace, $$"""maplog_capture_corrections_total{maplog_origin="scan",maplog_stream="{{Source}}/{{Map}}"}""", 1); // it was there before the hook
        await MeasuresAsync(CapturePlace, $$"""maplog_capture_gaps_total{maplog_reason="late-attach",maplog_stream="{{Source}}/{{Map}}"}""", 1);
        await MeasuresAsync(CapturePlace, $$"""maplog_capture_entries{maplog_stream="{{Source}}/{{Map}}"}""", 100);
        await MeasuresAsync(CapturePlace, $$"""maplog_capture_max_entries{maplog_stream="{{Source}}/{{Map}}"}""", 1024);
        await MeasuresAsync(CapturePlace, "maplog_capture_ring_limit_bytes", 1048576);
        await MeasuresAsync(CapturePlace, "maplog_capture_ring_usage_bytes", 0);
        await MeasuresAsync(CapturePlace, "maplog_capture_log_up", 1);
        await MeasuresAsync(CapturePlace, "maplog_capture_bus_up", 0);
        // The term, the map, the gap, what the scan found, and the changes; and a seal, where this takes a minute.
        await MeasuresAsync(CapturePlace, "maplog_capture_committed_total", 3 + 1 + 101, orMore: true);
        var metrics = await GetAsync(CapturePlace, "/metrics");
        Assert.Matches(@"(?m)^maplog_build_info\{[^}]*version=""[^""]+""[^}]*\} 1\b", metrics.Body);
        Assert.Matches(@"(?m)^maplog_build_info\{", (await GetAsync(ReplicaPlace, "/metrics")).Body);
        Assert.Matches(@"maplog_capture_commit_duration_seconds_count\S* [1-9]", metrics.Body);
        Assert.Contains("maplog_capture_commit_duration_seconds_bucket{le=\"0.0025\"}", metrics.Body, StringComparison.Ordinal);
        await MeasuresAsync(ReplicaPlace, $$"""maplog_replicator_lag_versions{maplog_pin="{{_pins["replica"]}}",maplog_stream="{{Source}}/{{Map}}"}""", 0);
        await MeasuresAsync(ReplicaPlace, $$"""maplog_replicator_ready{maplog_pin="{{_pins["replica"]}}",maplog_stream="{{Source}}/{{Map}}"}""", 1);

        var status = string.Join('\n', await Command.RunAsync("/", maplog, "status", "--log", log));
        Assert.Matches($@"(?m)^{Source} +1 +node-a ", status);
        Assert.Matches($@"(?m)^{Source}/{Map} +\d+ .* 1 late-attach$", status);
        Assert.Matches($@"(?m)^{Source}/{Map} +node-b .* yes$", status);

        await _postgres.StopAsync();
        map.Update(BitConverter.GetBytes(7L), BitConverter.GetBytes(8L));
        await AnswersAsync(CapturePlace, "/readyz", HttpStatusCode.ServiceUnavailable, "Meanwhile the ring keeps changes");
        await AnswersAsync(ReplicaPlace, "/readyz", HttpStatusCode.ServiceUnavailable, "The replica has had no news of its stream for");
        await AnswersAsync(CapturePlace, "/healthz", HttpStatusCode.OK, "healthy");
        await MeasuresAsync(CapturePlace, "maplog_capture_log_up", 0);

        await _postgres.StartAsync();
        await AnswersAsync(CapturePlace, "/readyz", HttpStatusCode.OK, "capturing");
        await AnswersAsync(ReplicaPlace, "/readyz", HttpStatusCode.OK, "ready");
        foreach (var daemon in _daemons)
        {
            daemon.Terminate();
            Assert.True(await daemon.EndAsync() == 0, daemon.LastLines(20));
        }
    }

    public async ValueTask DisposeAsync()
    {
        _daemons.ForEach(d => d.Dispose());
        _http.Dispose();
        _pins.Dispose();
        await _postgres.DisposeAsync();
    }

    private Command Start(string name, params string[] arguments)
    {
        _daemons.Add(new Command("/", [Path.Combine(Repository.Bin, name), .. arguments]));
        return _daemons[^1];
    }

    private Task AnswersAsync(string place, string path, HttpStatusCode status, string words) =>
        UntilAsync(async () =>
        {
            var answer = await GetAsync(place, path);
            return (answer.Status == status && answer.Body.Contains(words, StringComparison.Ordinal), $"{place}{path} answers {answer.Status}: {answer.Body}");
        });

    private Task MeasuresAsync(string place, string series, double value, bool orMore = false) =>
        UntilAsync(async () =>
        {
            var body = (await GetAsync(place, "/metrics")).Body;
            var found = Regex.Match(body, $@"^{Regex.Escape(series)}(?:\{{\}})? ([0-9.e+-]+)", RegexOptions.Multiline);
            var measured = found.Success ? double.Parse(found.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : double.NaN;
            return (measured == value || orMore && measured > value, $"{series} is not {value}:\n{body}");
        });

    private async Task UntilAsync(Func<Task<(bool, string)>> look)
    {
        for (var waited = TimeSpan.Zero; ; waited += TimeSpan.FromMilliseconds(200))
        {
            var (isSo, found) = await look();
            if (isSo)
                return;
            Assert.True(waited < Patience, $"{found}{string.Concat(_daemons.Select(d => d.LastLines(10)))}");
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
    }

    private async Task<(HttpStatusCode Status, string Body)> GetAsync(string place, string path)
    {
        try
        {
            using var answer = await _http.GetAsync(new Uri($"http://{place}{path}"), TestContext.Current.CancellationToken);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
        catch (HttpRequestException e)
        {
            return (0, e.Message);
        }
    }
}
