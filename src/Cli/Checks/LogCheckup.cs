using System.Diagnostics;
using Maplog.Log;
using Npgsql;

namespace Maplog.Cli.Checks;

/// <summary>Postgres: whether it answers, and whether it is ready for this source.</summary>
/// <param name="options">Reads the settings; throws <see cref="UsageException"/> if they are wrong.</param>
/// <param name="source">The source to be captured, or null if it is unknown.</param>
internal sealed class LogCheckup(Func<LogOptions> options, string? source) : ICheckup
{
    /// <summary>The first with SQL-standard function bodies, which the migrations have.</summary>
    private static readonly Version Oldest = new(14, 0);

    private readonly Findings _found = new("log");

    public string Area => "log";

    public async Task<IReadOnlyList<Check>> RunAsync(CancellationToken cancellation)
    {
        try
        {
            await using var log = new LogStore(options());
            if (await CheckServerAsync(log, cancellation) && await CheckSchemaAsync(log, cancellation))
            {
                await CheckSourcesAsync(log, cancellation);
                await CheckRightsAsync(log, cancellation);
            }
        }
        catch (UsageException e)
        {
            foreach (var mistake in e.Mistakes)
                _found.Fail("settings", mistake, null);
        }
        catch (LogException e)
        {
            _found.Fail("Postgres", e.Message, null);
        }
        return _found.All;
    }

    private async Task<bool> CheckServerAsync(LogStore log, CancellationToken cancellation)
    {
        // By the schema's check, because it turns every connection failure into a sentence.
        await new LogSchema(log).CheckAsync(cancellation);
        await using var connection = await log.Database.OpenConnectionAsync(cancellation);
        var began = Stopwatch.GetTimestamp();
        await using (var nothing = new NpgsqlCommand("select 1", connection))
            await nothing.ExecuteScalarAsync(cancellation);
        var took = Stopwatch.GetElapsedTime(began);
        var version = connection.PostgreSqlVersion;
        if (version < Oldest)
        {
            _found.Fail("Postgres", $"{log.Place} is version {version}", $"Upgrade it to {Oldest.Major} or later.");
            return false;
        }
        _found.Ok("Postgres", $"{log.Place}, version {version}, answers in {took.TotalMilliseconds:0.0} ms");
        await CheckWritesAsync(log, connection, cancellation);
        await CheckCollationAsync(connection, cancellation);
        return true;
    }

    private async Task CheckWritesAsync(LogStore log, NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select pg_is_in_recovery(), current_setting('transaction_read_only')::boolean", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        if (reader.GetBoolean(0))
            _found.Fail(
                "writes", $"{log.Place} is a standby, which takes no changes",
                "Name the primary in the log's ConnectionString; with several hosts, Target Session Attributes=primary finds it.");
        else if (reader.GetBoolean(1))
            _found.Fail("writes", $"{log.Place} is set to read only", "Remove default_transaction_read_only from the database or the role.");
    }

    // Every index entry is compared with its neighbours by stream name.
    private async Task CheckCollationAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select datcollate, to_jsonb(d) ->> 'datlocprovider' from pg_database d where datname = current_database()", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        var (collation, provider) = (reader.GetString(0), reader.IsDBNull(1) ? "c" : reader.GetString(1));
        // Version 14 knows only the C library's collations; b is Postgres' own since 17, which compares bytes.
        var isPlain = provider == "b" || provider != "i" && (collation is "C" or "POSIX" || collation.StartsWith("C.", StringComparison.Ordinal));
        _found.OkOrWarn(
            isPlain, "collation", collation, provider == "i" ? "names are compared by the rules of a language (ICU)" : $"names are compared by the rules of {collation}",
            "Create the log's database with LC_COLLATE 'C' (docs/operations.md#postgres): appends to many streams then take down to half the time.");
    }

    private async Task<bool> CheckSchemaAsync(LogStore log, CancellationToken cancellation)
    {
        var check = await new LogSchema(log).CheckAsync(cancellation);
        if (check.State == SchemaState.Current)
            _found.Ok("schema", check.Sentence);
        else
            _found.Fail("schema", check.Sentence, null);
        return check.State == SchemaState.Current;
    }

    private async Task CheckSourcesAsync(LogStore log, CancellationToken cancellation)
    {
        var sources = await new LogSchema(log).ListSourcesAsync(cancellation);
        if (source is not null && !sources.Contains(source))
            _found.Fail("source", $"the log does not know source {source}", $"Run 'maplog source add {source}'.");
        else if (sources.Count == 0)
            _found.Fail("source", "the log has no source yet", "Run 'maplog source add NAME'.");
        else
            _found.Ok("source", source is null ? $"the log has {string.Join(", ", sources)}" : $"the log has {source}");
    }

    private async Task CheckRightsAsync(LogStore log, CancellationToken cancellation)
    {
        await using var command = log.Database.CreateCommand($"select current_user::text, has_table_privilege('{log.Schema}.mt_events', 'insert')");
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        var user = reader.GetString(0);
        if (reader.GetBoolean(1))
            _found.Ok("rights", $"{user} may append");
        else
            _found.Fail("rights", $"{user} may not append to {log.Schema}.mt_events", "Give capture a role with this right; readers do not need it.");
    }
}
