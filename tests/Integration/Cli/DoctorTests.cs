using System.Text.Json;
using Maplog.Servers;
using Npgsql;
using Xunit;

namespace Maplog.Tests.Integration.Cli;

public sealed class DoctorTests(TestPostgres postgres, TestRabbitMq rabbit)
{
    [Fact]
    public async Task Servers_that_are_ready_are_well()
    {
        await using var log = await CommandLog.MakeAsync(postgres);
        await rabbit.StartAsync();
        var run = await log.RunAsync("doctor", "--only", "log", "--only", "bus", "--source", "lb-1", "--bus", $"{rabbit.Uri}", "--json");
        Assert.Equal("", run.Error);
        Assert.Equal(0, run.Code);
        Assert.Equal(
            ["log Postgres ok", "log collation ok", "log schema ok", "log source ok", "log rights ok", "bus RabbitMQ ok"],
            JsonDocument.Parse(run.Output).RootElement.GetProperty("checks").EnumerateArray().Select(c => $"{c.GetProperty("area")} {c.GetProperty("name")} {c.GetProperty("state")}"));
    }

    [Fact]
    public async Task Each_lack_of_the_log_is_found_with_what_to_do()
    {
        var bare = await postgres.CreateDatabaseAsync("cli");
        await AssertFoundAsync("run `maplog migrate`", "--only", "log", "--log", bare);
        await AssertFoundAsync("refused the login", "--only", "log", "--log", new NpgsqlConnectionStringBuilder(bare) { Password = "wrong" }.ConnectionString);
        await AssertFoundAsync("cannot be reached", "--only", "log", "--log", "Host=127.0.0.1;Port=1;Database=maplog");
        await AssertFoundAsync("Maplog:Log:ConnectionString: give the Postgres of the log with --log", "--only", "log");

        await using var log = await CommandLog.MakeAsync(postgres);
        await AssertFoundAsync("maplog source add lb-9", "--only", "log", "--source", "lb-9", "--log", log.Connection);
    }

    [Fact]
    public async Task A_role_that_may_only_read_is_told_that_it_may_not_append()
    {
        await using var log = await CommandLog.MakeAsync(postgres);
        await using (var source = NpgsqlDataSource.Create(log.Connection))
        await using (var command = source.CreateCommand("create role only_reads login password 'secret'; grant usage on schema maplog to only_reads; grant select on all tables in schema maplog to only_reads"))
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        var reader = new NpgsqlConnectionStringBuilder(log.Connection) { Username = "only_reads", Password = "secret" }.ConnectionString;
        await AssertFoundAsync("only_reads may not append", "--only", "log", "--log", reader);
    }

    [Fact]
    public async Task A_database_that_takes_no_changes_is_told()
    {
        await using var log = await CommandLog.MakeAsync(postgres);
        var readOnly = new NpgsqlConnectionStringBuilder(log.Connection) { Options = "-c default_transaction_read_only=on" }.ConnectionString;
        await AssertFoundAsync("is set to read only", "--only", "log", "--log", readOnly);
    }

    [Fact]
    public async Task A_database_that_compares_names_by_a_languages_rules_is_warned_of()
    {
        var of = new NpgsqlConnectionStringBuilder(await postgres.CreateDatabaseAsync("cli"));
        await using (var source = NpgsqlDataSource.Create(of.ConnectionString))
        await using (var command = source.CreateCommand($"create database {of.Database}_icu template template0 locale_provider icu icu_locale 'en-US'"))
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        of.Database += "_icu";
        var run = await CommandRun.OfAsync("migrate", "--log", of.ConnectionString);
        Assert.Equal(0, run.Code);
        run = await CommandRun.OfAsync("doctor", "--only", "log", "--log", of.ConnectionString);
        Assert.Contains(run.Lines, line => line.Contains("warn", StringComparison.Ordinal) && line.Contains("rules of a language", StringComparison.Ordinal));
        Assert.Contains("LC_COLLATE 'C'", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_lack_of_the_bus_is_found_with_what_to_do()
    {
        await rabbit.StartAsync();
        await AssertFoundAsync("refused the login of user 'nobody'", "--only", "bus", "--bus", $"amqp://nobody:wrong@{rabbit.Uri.Authority.Split('@')[^1]}/");
        await AssertFoundAsync("cannot be reached", "--only", "bus", "--bus", "amqp://maplog:secret@127.0.0.1:1/");
        await AssertFoundAsync("Maplog:Bus:Uri: give the address of RabbitMQ with --bus", "--only", "bus");
    }

    private static async Task AssertFoundAsync(string finding, params string[] arguments)
    {
        var run = await CommandRun.OfAsync(["doctor", .. arguments]);
        Assert.Equal("", run.Error);
        Assert.Equal(1, run.Code);
        Assert.Contains(run.Lines, line => line.StartsWith("  fail  ", StringComparison.Ordinal) || line.Contains(" -> ", StringComparison.Ordinal));
        Assert.Contains(finding, run.Output, StringComparison.Ordinal);
        Assert.EndsWith("1 thing that capture needs is missing.\n", run.Output, StringComparison.Ordinal);
    }
}
