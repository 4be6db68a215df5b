using Maplog.Events;
using Maplog.Log;
using Maplog.Servers;
using Maplog.Tests.Integration.Cli;
using Maplog.Tests.Integration.Log;
using Npgsql;
using Xunit;

namespace Maplog.Tests.Integration.Audit;

public sealed class SealTests(TestPostgres postgres)
{
    [Fact]
    public async Task A_log_as_it_was_written_is_whole()
    {
        await using var log = await SealedAsync();
        var run = await RunAsync(log, "verify-log");
        Assert.Equal("", run.Error);
        Assert.Equal("lb-1/ct_map: 3 seals are whole, up to version 33; 10 changes since are not sealed yet.\n", run.Output);
        Assert.Equal(0, run.Code);
    }

    [Theory]
    [InlineData("versions 12 to 22 are not the events that the seal at version 23 sealed", "update maplog.mt_events set bdata = set_byte(bdata, 40, 1) where version = 15")]
    [InlineData("versions 12 to 22 are not the events that the seal at version 23 sealed", "update maplog.mt_events set timestamp = timestamp + interval '1 microsecond' where version = 15")]
    [InlineData("versions 1 to 11 are not the events that the seal at version 12 sealed", "update maplog.mt_events set data = jsonb_set(data, '{node}', '\"other\"') where version = 1")]
    [InlineData("versions 1 to 11 are not the events that the seal at version 12 sealed", "update maplog.mt_events set type = 'entry_evicted' where version = 3")]
    [InlineData("versions are missing", "delete from maplog.mt_events where version = 15")]
    [InlineData("versions 12 to 22 are not", "update maplog.mt_events set data = jsonb_set(data, '{hash}', to_jsonb(encode(sha256('x'), 'base64'))) where version = 23")]
    public async Task A_change_of_history_breaks_the_seal_of_its_range(string finding, string tampering)
    {
        await using var log = await SealedAsync();
        await log.TamperAsync(tampering);
        var run = await RunAsync(log, "verify-log", "lb-1/ct_map");
        Assert.Equal(1, run.Code);
        Assert.Contains(finding, run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("update maplog.mt_events set version = version + 1000")]
    [InlineData("delete from maplog.mt_events where version = 15")]
    [InlineData("truncate maplog.mt_events")]
    [InlineData("do $$ begin execute (select 'truncate ' || inhrelid::regclass from pg_inherits where inhparent = 'maplog.mt_events'::regclass limit 1); end $$")]
    public async Task Not_even_the_owner_rewrites_the_log_by_plain_SQL(string rewriting)
    {
        await using var log = await SealedAsync();
        var refused = await Assert.ThrowsAsync<PostgresException>(() => log.QueryAsync(rewriting));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        Assert.Contains("append-only", refused.MessageText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_role_may_what_it_is_for_and_no_more()
    {
        await using var log = await SealedAsync();
        const string read = "select count(*) from maplog.changes", audit = "select count(*) from audit.changes where old_lived is null", index = "select audit.index_keys('lb-1/ct_map')", prune = "select audit.forget_pruned('lb-1/ct_map', 1)";
        const string rewrite = "delete from maplog.mt_events", describe = "delete from audit.described", ours = "delete from audit.key_index", source = "create table maplog.mine (x integer)";
        await MayAsync("maplog_reader", [read], [audit, index, prune, rewrite, describe, ours, source]);
        await MayAsync("maplog_auditor", [read, audit], [index, prune, rewrite, describe, ours, source]);
        await MayAsync("maplog_admin", [read, audit, index, prune, describe], [rewrite, ours, source]);
        await MayAsync("maplog_writer", [read, index], [audit, prune, rewrite, describe, ours, source]);

        // The writer appends by Marten's call, to a source that was added after the roles were made.
        var login = $"writer_{Guid.NewGuid():N}";
        await log.QueryAsync($"create role {login} login password 'secret' in role maplog_writer");
        await log.Schema.AddSourceAsync("lb-9", Cancel);
        var connection = new NpgsqlConnectionStringBuilder(log.Options.ConnectionString) { Username = login, Password = "secret" };
        await using var store = new LogStore(new LogOptions { ConnectionString = connection.ConnectionString });
        using var batch = Made.Changes(Made.Stream("lb-9/ct_map"), 1, 10);
        await (await LogWriter.OpenAsync(store, "lb-9", Cancel)).AppendAsync(batch, Cancel);
        Assert.Equal(10L, await log.QueryAsync("select count(*) from maplog.changes where source = 'lb-9'"));

        async Task MayAsync(string role, string[] allowed, string[] refused)
        {
            foreach (var sql in allowed)
                await log.QueryAsync($"set role {role}; {sql}; reset role");
            foreach (var sql in refused)
            {
                var failure = await Assert.ThrowsAsync<PostgresException>(() => log.QueryAsync($"set role {role}; {sql}"));
                Assert.True(failure.SqlState == PostgresErrorCodes.InsufficientPrivilege, $"{role}: {sql}: {failure.MessageText}");
            }
        }
    }

    private static Task<CommandRun> RunAsync(LogDatabase log, params string[] arguments) => CommandRun.OfAsync([.. arguments, "--log", log.Options.ConnectionString]);

    /// <summary>Three sealed ranges of ten changes, and ten changes more.</summary>
    private async Task<LogDatabase> SealedAsync()
    {
        var log = await LogDatabase.MigratedAsync(postgres);
        var stream = Made.Stream("lb-1/ct_map");
        using var batch = new EventBatch();
        using var chain = new SealChain();
        long version = 0;
        Note(Made.Opened());
        for (var range = 0; range < 4; range++)
        {
            for (var i = 0; i < 10; i++)
            {
                var payload = Made.Payload(BitConverter.GetBytes(version), BitConverter.GetBytes(version * 3), version * 64);
                batch.AddChange(stream, new StreamVersion(++version), Time(), EventKind.EntryUpdated, payload);
                chain.Take(new StreamVersion(version), Time(), EventKind.EntryUpdated, payload);
            }
            if (range < 3)
                Note(chain.Seal(new Epoch(1)));
        }
        await (await LogWriter.OpenAsync(log.Store, "lb-1", Cancel)).AppendAsync(batch, Cancel);
        return log;

        DateTimeOffset Time() => Made.Time.AddTicks(version * 12345);

        void Note(object note)
        {
            batch.AddNote(stream, new StreamVersion(++version), Time(), note);
            chain.Take(new StreamVersion(version), Time(), NoteCodec.KindOf(note), NoteCodec.Write(note));
        }
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
