using System.Text.Json;
using Maplog.Events;
using Maplog.Servers;
using Npgsql;
using Xunit;

namespace Maplog.Tests.Integration.Cli;

public sealed class LogCommandTests(TestPostgres postgres)
{
    private static readonly MapShape Shape = new(1, 4, 2, 1024, 0, 0);

    [Fact]
    public async Task Migrate_says_what_it_applied_and_applies_nothing_twice()
    {
        var connection = await postgres.CreateDatabaseAsync("cli");
        var first = await CommandRun.OfAsync("migrate", "--log", connection);
        var second = await CommandRun.OfAsync("migrate", "--log", connection, "--json");

        Assert.Equal(0, first.Code);
        Assert.StartsWith("applied 0001_", first.Output, StringComparison.Ordinal);
        Assert.Equal(0, second.Code);
        using var json = JsonDocument.Parse(second.Output);
        Assert.Equal("maplog", json.RootElement.GetProperty("schema").GetString());
        Assert.Equal(0, json.RootElement.GetProperty("applied").GetArrayLength());
    }

    [Fact]
    public async Task A_source_is_added_once_and_listed()
    {
        await using var log = await CommandLog.MakeAsync(postgres);
        var again = await log.RunAsync("source", "add", "lb-1");
        Assert.Contains("already", again.Output, StringComparison.Ordinal);
        Assert.Equal("{\"source\":\"lb-2\",\"added\":true}", Compact((await log.RunAsync("source", "add", "lb-2", "--json")).Output));
        Assert.Equal(["lb-1", "lb-2"], (await log.RunAsync("source", "list")).Lines);
        Assert.Equal("[{\"source\":\"lb-1\"},{\"source\":\"lb-2\"}]", Compact((await log.RunAsync("source", "list", "--json")).Output));
    }

    [Fact]
    public async Task A_name_that_is_no_source_is_refused_before_anything_is_connected()
    {
        var run = await CommandRun.OfAsync("source", "add", "LB 1", "--log", "Host=127.0.0.1;Port=1");
        Assert.Equal(2, run.Code);
        Assert.Equal("maplog: 'LB 1' is not a source name: use 1 to 48 of a-z, 0-9, '-' and '_', beginning with a letter or digit.\n", run.Error);
    }

    [Fact]
    public async Task Maps_shows_each_stream_with_its_head()
    {
        await using var log = await FilledAsync();
        var table = await log.RunAsync("maps", "--entries");
        Assert.Equal(0, table.Code);
        Assert.Equal(
            """
            STREAM       TYPE  KEY  VALUE  MAX   ENTRIES  HEAD  AT                           EPOCH  GENERATION   PROBE   NODE
            lb-1/ct_map  hash  4 B  2 B    1024  2        6     2026-03-01T12:00:06.000000Z  1      42@6f1c5a0e  fentry  node-a

            """,
            table.Output);

        using var json = JsonDocument.Parse((await log.RunAsync("streams", "lb-1", "--json")).Output);
        var map = Assert.Single(json.RootElement.EnumerateArray());
        Assert.Equal("lb-1/ct_map", map.GetProperty("stream").GetString());
        Assert.Equal(6, map.GetProperty("head").GetInt64());
        Assert.Equal("writes through a looked-up pointer", map.GetProperty("unseen")[0].GetString());
    }

    [Fact]
    public async Task Dump_shows_the_content_in_the_order_of_its_keys()
    {
        await using var log = await FilledAsync();
        Assert.Equal(
            """
            # lb-1/ct_map at version 6, 2026-03-01T12:00:06.000000Z: hash, 2 of 1024 entries
            01000000 -> 0b0c
            03000000 -> 1500

            """,
            (await log.RunAsync("dump", "lb-1/ct_map")).Output);
        Assert.Equal(
            """
            # lb-1/ct_map at version 6, 2026-03-01T12:00:06.000000Z: hash, 2 of 1024 entries
            01000000 -> 0b0c
            # and 1 more

            """,
            (await log.RunAsync("dump", "lb-1/ct_map", "--limit", "1")).Output);
        Assert.Equal(
            """
            [{"key":["0x01","0x00","0x00","0x00"],"value":["0x0b","0x0c"]},{"key":["0x03","0x00","0x00","0x00"],"value":["0x15","0x00"]}]

            """,
            (await log.RunAsync("dump", "lb-1/ct_map", "--json")).Output);
    }

    [Fact]
    public async Task An_unknown_stream_is_answered_with_the_nearest()
    {
        await using var log = await FilledAsync();
        foreach (var (wrong, meant) in new[] { ("lb-1/ct_mpa", "lb-1/ct_map"), ("ct_map", "lb-1/ct_map"), ("lb-2/ct_map", "lb-1/ct_map") })
        {
            var run = await log.RunAsync("dump", wrong);
            Assert.Equal(2, run.Code);
            Assert.Contains($"has no stream '{wrong}'. Did you mean {meant}?", run.Error, StringComparison.Ordinal);
        }
        Assert.Contains("'maplog maps' lists", (await log.RunAsync("dump", "quite/other")).Error, StringComparison.Ordinal);
        Assert.Contains("Did you mean lb-1?", (await log.RunAsync("maps", "lb-2")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_schema_a_wrong_password_and_a_server_that_is_away_are_a_sentence_each()
    {
        var connection = await postgres.CreateDatabaseAsync("cli");
        var bare = await CommandRun.OfAsync("maps", "--log", connection);
        Assert.Equal(1, bare.Code);
        Assert.Contains("run `maplog migrate`", Sentence(bare), StringComparison.Ordinal);

        var wrong = new NpgsqlConnectionStringBuilder(connection) { Password = "wrong" }.ConnectionString;
        var refused = await CommandRun.OfAsync("maps", "--log", wrong);
        Assert.Equal(1, refused.Code);
        Assert.Contains("refused the login", Sentence(refused), StringComparison.Ordinal);

        var away = await CommandRun.OfAsync("dump", "lb-1/ct_map", "--log", "Host=127.0.0.1;Port=1;Database=maplog");
        Assert.Equal(1, away.Code);
        Assert.Contains("cannot be reached", Sentence(away), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_difference_names_stream_version_and_time_as_fields()
    {
        await using var log = await FilledAsync();
        using var json = JsonDocument.Parse((await log.RunAsync("diff", "lb-1/ct_map", "--from", "2", "--json")).Output);
        var (from, to) = (json.RootElement.GetProperty("from"), json.RootElement.GetProperty("to"));
        Assert.Equal(("lb-1/ct_map", 2, "2026-03-01T12:00:02.000000Z"), (from.GetProperty("stream").GetString(), from.GetProperty("version").GetInt32(), from.GetProperty("at").GetString()));
        Assert.Equal(6, to.GetProperty("version").GetInt32());
    }

    [Fact]
    public async Task Every_table_is_CSV_when_that_is_asked_for()
    {
        await using var log = await FilledAsync();
        Assert.Equal("Stream,Type,Key,Value,Max,Head,At,Epoch,Generation,Probe,Node", (await log.RunAsync("maps", "--csv")).Lines[0]);
        Assert.Equal(["Source", "lb-1"], (await log.RunAsync("source", "list", "--csv")).Lines);
        Assert.Equal(["Stream,Head,Indexed to,Behind", "lb-1/ct_map,6,0,6"], (await log.RunAsync("audit", "lag", "--csv")).Lines);
        Assert.Equal(["Field,Bytes,Kind,Known by"], (await log.RunAsync("describe", "lb-1/ct_map", "--csv")).Lines);
        Assert.Equal(0, (await log.RunAsync("snapshot", "lb-1/ct_map")).Code);
        Assert.Equal("Version,Time,Entries,Written,Hash", (await log.RunAsync("snapshot", "lb-1/ct_map", "--list", "--csv")).Lines[0]);
        Assert.Contains((await log.RunAsync("status", "--csv")).Lines, line => line.StartsWith("lb-1/ct_map,6,", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_watched_status_is_shown_again_and_again_until_it_is_ended()
    {
        await using var log = await FilledAsync();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        await using var output = new System.IO.Pipes.AnonymousPipeServerStream(System.IO.Pipes.PipeDirection.Out);
        using var lines = new StreamReader(new System.IO.Pipes.AnonymousPipeClientStream(System.IO.Pipes.PipeDirection.In, output.ClientSafePipeHandle));
        using var terminal = new Maplog.Cli.Output.Terminal(output, TextWriter.Null, isForPeople: false);
        var watching = Task.Run(() => Maplog.Cli.CommandTree.RunAsync(["status", "--watch", "--every", "1", "--json", "--log", log.Connection], terminal, ended.Token), ended.Token);
        for (var looks = 0; looks < 2; looks++)
        {
            using var json = JsonDocument.Parse((await lines.ReadLineAsync(ended.Token))!);
            Assert.Equal("lb-1/ct_map", json.RootElement.GetProperty("streams")[0].GetProperty("stream").GetString());
        }
        await ended.CancelAsync();
        Assert.Equal(0, await watching);
    }

    [Fact]
    public async Task Verbose_tells_where_a_failure_came_from()
    {
        var run = await CommandRun.OfAsync("maps", "--log", "Host=127.0.0.1;Port=1;Database=maplog", "--verbose");
        Assert.Contains("   at ", run.Error, StringComparison.Ordinal);
    }

    private async Task<CommandLog> FilledAsync()
    {
        var log = await CommandLog.MakeAsync(postgres);
        log.Note(CommandLog.Map(Shape));
        log.Change(EventKind.EntryAdded, [1, 0, 0, 0], 0xa, 0);
        log.Change(EventKind.EntryAdded, [2, 0, 0, 0], 0x14, 0);
        log.Change(EventKind.EntryUpdated, [1, 0, 0, 0], 0xb, 0xc);
        log.Change(EventKind.EntryDeleted, [2, 0, 0, 0]);
        log.Change(EventKind.EntryAdded, [3, 0, 0, 0], 0x15, 0);
        await log.CommitAsync();
        return log;
    }

    private static string Sentence(CommandRun run)
    {
        Assert.Empty(run.Output);
        return Assert.Single(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private static string Compact(string json) => JsonSerializer.Serialize(JsonSerializer.Deserialize<JsonElement>(json));
}
