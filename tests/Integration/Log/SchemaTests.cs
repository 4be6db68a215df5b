using System.ComponentModel.DataAnnotations;
using Maplog.Events;
using Maplog.Log;
using Maplog.Servers;
using Npgsql;
using Xunit;

namespace Maplog.Tests.Integration.Log;

public sealed class SchemaTests(TestPostgres postgres)
{
    [Fact]
    public async Task A_schema_is_missing_then_older_then_current_then_newer()
    {
        await using var log = await LogDatabase.EmptyAsync(postgres);
        var check = await log.Schema.CheckAsync(Cancel);
        Assert.Equal(SchemaState.Missing, check.State);
        Assert.Contains("run `maplog migrate`", check.Sentence, StringComparison.Ordinal);

        Assert.NotEmpty(await log.Schema.MigrateAsync(Cancel));
        Assert.Equal(SchemaState.Current, (await log.Schema.CheckAsync(Cancel)).State);
        Assert.Empty(await log.Schema.MigrateAsync(Cancel));

        await log.QueryAsync("update maplog.schema_versions set scriptname = '9999_later.sql' where scriptname = (select max(scriptname) from maplog.schema_versions)");
        check = await log.Schema.CheckAsync(Cancel);
        Assert.Equal(SchemaState.Newer, check.State);
        Assert.Contains("upgrade maplog", check.Sentence, StringComparison.Ordinal);
        await Assert.ThrowsAsync<LogException>(() => log.Schema.MigrateAsync(Cancel));

        await log.QueryAsync("delete from maplog.schema_versions where scriptname = '9999_later.sql'");
        check = await log.Schema.CheckAsync(Cancel);
        Assert.Equal(SchemaState.Older, check.State);
        Assert.Contains("run `maplog migrate`", check.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("maplog")]
    [InlineData("audit_log")]
    public async Task Marten_finds_nothing_to_change_in_a_migrated_database(string schema)
    {
        await using var log = await LogDatabase.MigratedAsync(postgres, schema);
        await log.Store.Marten.Storage.Database.AssertDatabaseMatchesConfigurationAsync(Cancel);
    }

    [Fact]
    public async Task The_log_works_in_a_schema_of_another_name()
    {
        await using var log = await LogDatabase.MigratedAsync(postgres, "audit_log");
        using var batch = Made.Changes(Made.Stream("lb-1/ct_map"), 1, 3);
        await (await LogWriter.OpenAsync(log.Store, "lb-1", Cancel)).AppendAsync(batch, Cancel);

        Assert.Equal(3, (await log.ReadAsync(new StreamName("lb-1", "ct_map"))).Count);
        Assert.Equal(3L, await log.QueryAsync("select count(*) from audit_log.changes_of('lb-1/ct_map') where kind = 'updated'"));
        Assert.Equal(0L, await log.QueryAsync("select count(*) from pg_namespace where nspname = 'maplog'"));
    }

    [Fact]
    public async Task Migrations_are_what_Marten_writes_today()
    {
        await using var log = await LogDatabase.EmptyAsync(postgres);
        var committed = string.Join('\n', (await File.ReadAllLinesAsync(Path.Combine(Repository(), "migrations", "0001_marten.sql"), Cancel)).Where(l => !l.StartsWith("-- ", StringComparison.Ordinal)));
        Assert.Equal(Plain(log.Store.Marten.Storage.ToDatabaseScript()), Plain(committed));

        static string Plain(string sql) => string.Join('\n', sql.Split('\n').Select(l => l.TrimEnd()).Where(l => l.Length > 0));
    }

    [Fact]
    public async Task Adding_sources_leaves_our_indexes_alone()
    {
        await using var log = await LogDatabase.MigratedAsync(postgres);
        await log.Schema.AddSourceAsync("lb_1", Cancel);
        await log.Schema.AddSourceAsync("lb_1", Cancel);
        await log.Schema.AddSourceAsync(new string('9', StreamName.MaxSourceLength), Cancel);
        await log.Schema.AddSourceAsync(new string('9', StreamName.MaxSourceLength - 1), Cancel);

        Assert.Equal(["lb-1", "lb-2", "lb_1"], (await log.Schema.ListSourcesAsync(Cancel)).Where(s => s[0] == 'l').Order(StringComparer.Ordinal));
        Assert.Equal(4L, await log.QueryAsync("select count(*) from pg_indexes where schemaname = 'maplog' and tablename = 'mt_events'"));
        Assert.Equal(5L, await log.QueryAsync("select count(*) from pg_inherits where inhparent = 'maplog.mt_events'::regclass"));
        await Assert.ThrowsAsync<FormatException>(() => log.Schema.AddSourceAsync("LB 1", Cancel));
    }

    [Fact]
    public async Task Two_migrate_at_the_same_time_as_one()
    {
        await using var log = await LogDatabase.EmptyAsync(postgres);
        var both = await Task.WhenAll(log.Schema.MigrateAsync(Cancel), log.Schema.MigrateAsync(Cancel));
        Assert.Single(both, applied => applied.Count > 0);
        Assert.Equal(SchemaState.Current, (await log.Schema.CheckAsync(Cancel)).State);
    }

    [Fact]
    public async Task A_daemon_never_changes_the_schema()
    {
        await using var log = await LogDatabase.EmptyAsync(postgres);
        var missing = await Assert.ThrowsAsync<LogException>(() => LogWriter.OpenAsync(log.Store, "lb-1", Cancel));
        Assert.Contains("run `maplog migrate`", missing.Message, StringComparison.Ordinal);
        Assert.Contains("run `maplog migrate`", (await Assert.ThrowsAsync<LogException>(() => log.Reader.ListStreamsAsync(cancellation: Cancel))).Message, StringComparison.Ordinal);
        Assert.Contains("run `maplog migrate`", (await Assert.ThrowsAsync<LogException>(() => log.ReadAsync(new StreamName("lb-1", "ct_map")))).Message, StringComparison.Ordinal);
        Assert.Contains("run `maplog migrate`", (await Assert.ThrowsAsync<LogException>(() => log.Schema.AddSourceAsync("lb-1", Cancel))).Message, StringComparison.Ordinal);
        Assert.Equal(0L, await log.QueryAsync("select count(*) from pg_namespace where nspname = 'maplog'"));

        await log.Schema.MigrateAsync(Cancel);
        var unknown = await Assert.ThrowsAsync<LogException>(() => LogWriter.OpenAsync(log.Store, "lb-1", Cancel));
        Assert.Contains("run `maplog source add lb-1`", unknown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_connection_string_is_told_in_a_sentence()
    {
        await using var log = await LogDatabase.EmptyAsync(postgres);
        await SaysAsync(c => c.Port = 1, transient: true, "cannot be reached", "ConnectionString");
        await SaysAsync(c => c.Host = "no-such-host.invalid", transient: true, "cannot be reached", "no-such-host.invalid");
        await SaysAsync(c => c.Password = "wrong", transient: false, "refused the login", "ConnectionString");
        await SaysAsync(c => c.Database = "no_such_database", transient: false, "does not exist", "no_such_database");

        Assert.Contains("ConnectionString is missing", Assert.Throws<ValidationException>(() => new LogStore(new LogOptions())).Message, StringComparison.Ordinal);
        var several = Assert.Throws<ValidationException>(() => new LogStore(new LogOptions { ConnectionString = "Hots=db", Schema = "Map Log", CommandTimeout = TimeSpan.Zero })).Message;
        Assert.All(["ConnectionString", "Hots", "Schema 'Map Log'", "CommandTimeout"], word => Assert.Contains(word, several, StringComparison.Ordinal));

        async Task SaysAsync(Action<NpgsqlConnectionStringBuilder> spoil, bool transient, params string[] words)
        {
            var connection = new NpgsqlConnectionStringBuilder(log.Options.ConnectionString);
            spoil(connection);
            await using var store = new LogStore(new LogOptions { ConnectionString = connection.ConnectionString });
            var failure = await Assert.ThrowsAsync<LogException>(() => new LogSchema(store).CheckAsync(Cancel));
            Assert.All(words, word => Assert.Contains(word, failure.Message, StringComparison.Ordinal));
            Assert.DoesNotContain("wrong", failure.Message, StringComparison.Ordinal);
            Assert.Equal(transient, failure.IsTransient);
        }
    }

    private static string Repository([System.Runtime.CompilerServices.CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(here, "../../../.."));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
