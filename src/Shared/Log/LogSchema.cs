using System.Security.Cryptography;
using System.Text;
using DbUp.Engine;
using DbUp.Engine.Output;
using DbUp.Postgresql;
using Maplog.Events;
using Npgsql;

namespace Maplog.Log;

/// <summary>The tables, functions and views of the log, made by migrations and by nothing else. Changing them takes the rights of the schema's owner.</summary>
public sealed class LogSchema(LogStore store)
{
    private const string Journal = "schema_versions";

    /// <summary>How the schema stands; changes nothing.</summary>
    /// <exception cref="LogException">The database cannot be reached.</exception>
    public async Task<SchemaCheck> CheckAsync(CancellationToken cancellation = default)
    {
        return await Try("Checking the schema", async () =>
        {
            await using var journal = store.Database.CreateCommand("select to_regclass($1) is not null");
            journal.Parameters.Add(new() { Value = $"{store.Schema}.{Journal}" });
            if (!(bool)(await journal.ExecuteScalarAsync(cancellation))!)
                return new SchemaCheck(SchemaState.Missing, $"{store.Place} has no log in schema '{store.Schema}': run `maplog migrate`.");

            var applied = new HashSet<string>();
            await using var names = store.Database.CreateCommand($"select scriptname from {store.Schema}.{Journal}");
            await using var reader = await names.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
                applied.Add(reader.GetString(0));

            var unknown = applied.Except(Migrations.Names).Order(StringComparer.Ordinal).ToList();
            if (unknown.Count > 0)
                return new SchemaCheck(SchemaState.Newer, $"The log in {store.Place} was migrated by a later maplog ({unknown[0]}): upgrade maplog on this machine.");
            var open = Migrations.Names.Except(applied).ToList();
            return open.Count > 0
                ? new SchemaCheck(SchemaState.Older, $"The log in {store.Place} lacks {open.Count} of {Migrations.Names.Count} migrations, the first is {open[0]}: run `maplog migrate`.")
                : new SchemaCheck(SchemaState.Current, $"The log in {store.Place}, schema '{store.Schema}', is current.");
        });
    }

    /// <summary>Which log this is. The schema must be current.</summary>
    /// <exception cref="LogException">The database cannot be reached, or the log was restored without its data.</exception>
    public async Task<LogIdentity> ReadIdentityAsync(CancellationToken cancellation = default)
    {
        return await Try("Reading the identity of the log", async () =>
        {
            await using var command = store.Database.CreateCommand($"select id from {store.Schema}.identity");
            return await command.ExecuteScalarAsync(cancellation) is Guid id
                ? new LogIdentity(id, store.FullPlace)
                : throw new LogException($"The log in {store.FullPlace} has lost its identity: restore the row of {store.Schema}.identity "
                    + $"from its dump, or make a new one with `insert into {store.Schema}.identity default values`.");
        });
    }

    /// <summary>
    /// Applies what is missing, in one transaction, then gives the roles their grants again: a restored dump may have lost them. Run twice, or
    /// by two at a time, it does the same as once.
    /// </summary>
    /// <returns>The names of the migrations applied now.</returns>
    /// <exception cref="LogException">A migration failed, and none was applied; the schema is newer; or the role may not change it.</exception>
    public async Task<IReadOnlyList<string>> MigrateAsync(CancellationToken cancellation = default)
    {
        return await Try("Migrating the schema", async () =>
        {
            await using var connection = await store.Database.OpenConnectionAsync(cancellation);
            await using (var alone = new NpgsqlCommand("select pg_advisory_lock(hashtext('maplog migrate ' || $1))", connection))
            {
                alone.Parameters.Add(new() { Value = store.Schema });
                await alone.ExecuteNonQueryAsync(cancellation);
            }
            try
            {
                var check = await CheckAsync(cancellation);
                if (check.State == SchemaState.Newer)
                    throw new LogException(check.Sentence);
                var rights = await ReadRightsAsync(cancellation);
                if (check.State == SchemaState.Current && rights.Owner is not null)
                    return [];
                rights.Require("Migrating the schema", store, check.State == SchemaState.Missing);
                var applied = await Task.Run<IReadOnlyList<string>>(Upgrade, cancellation);
                await SecureAsync(cancellation);
                return applied;
            }
            finally
            {
                await using var release = new NpgsqlCommand("select pg_advisory_unlock_all()", connection);
                await release.ExecuteNonQueryAsync(CancellationToken.None);
            }
        });
    }

    /// <summary>Makes the source's place in the log: its partitions and its sequence. A source that is there stays as it is.</summary>
    /// <exception cref="LogException">The schema is missing, or the role may not change it.</exception>
    /// <exception cref="FormatException">Not a source name.</exception>
    public async Task AddSourceAsync(string source, CancellationToken cancellation = default)
    {
        RequireSource(source);
        var doing = $"Adding source {source}";
        // Marten would make a missing schema itself here, but without ours.
        var check = await CheckAsync(cancellation);
        if (check.State != SchemaState.Current)
            throw new LogException($"{doing} failed. {check.Sentence}");
        await Try(doing, async () =>
        {
            // Marten writes the SQL that failed to the console, and would make anew constraints that a role without rights cannot see.
            (await ReadRightsAsync(cancellation)).Require(doing, store, isMissing: false);
            try
            {
                await store.Marten.Advanced.AddMartenManagedTenantsAsync(cancellation, new Dictionary<string, string> { [source] = Suffix(source) });
            }
            catch (Exception e) when (e.GetBaseException() is NpgsqlException cause)
            {
                // Marten's own exceptions quote the whole of its SQL.
                throw LogException.From(doing, store, cause);
            }
            // The new partition's guard and grants.
            await SecureAsync(cancellation);
            return true;
        });
    }

    /// <summary>The group roles that the server lacks: whoever migrated was not allowed to make them, and so nobody has their rights.</summary>
    public async Task<IReadOnlyList<string>> ListMissingRolesAsync(CancellationToken cancellation = default)
    {
        return await Try("Listing the roles", async () =>
        {
            await using var command = store.Database.CreateCommand(
                "select n from unnest(array['maplog_writer', 'maplog_reader', 'maplog_auditor', 'maplog_admin']) n where to_regrole(n) is null");
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            var missing = new List<string>();
            while (await reader.ReadAsync(cancellation))
                missing.Add(reader.GetString(0));
            return missing;
        });
    }

    public async Task<bool> HasSourceAsync(string source, CancellationToken cancellation = default)
    {
        RequireSource(source);
        return (await ListSourcesAsync(cancellation)).Contains(source);
    }

    /// <summary>The sources that have a place in the log, by name.</summary>
    public async Task<IReadOnlyList<string>> ListSourcesAsync(CancellationToken cancellation = default)
    {
        return await Try("Listing the sources", async () =>
        {
            await using var command = store.Database.CreateCommand($"select partition_value from {store.Schema}.mt_tenant_partitions order by 1");
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            var sources = new List<string>();
            while (await reader.ReadAsync(cancellation))
                sources.Add(reader.GetString(0));
            return sources;
        });
    }

    /// <summary>The end of the names of a source's partitions (<c>mt_events_lb_1_3f2a9c1d</c>): what Postgres takes of its name, and enough of a hash to tell lb-1 from lb_1.</summary>
    internal static string Suffix(string source)
    {
        var readable = source.Replace('-', '_');
        return $"{readable[..Math.Min(readable.Length, 24)]}_{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(source)).AsSpan(0, 4))}";
    }

    private async Task SecureAsync(CancellationToken cancellation)
    {
        await using var secure = store.Database.CreateCommand($"select {store.Schema}.secure()");
        await secure.ExecuteNonQueryAsync(cancellation);
    }

    private async Task<SchemaRights> ReadRightsAsync(CancellationToken cancellation)
    {
        await using var command = store.Database.CreateCommand("""
            select current_user::text, current_setting('transaction_read_only')::boolean, has_database_privilege(current_database(), 'create'),
                (select pg_get_userbyid(o.owner)::text from (
                    select n.nspowner from pg_namespace n where n.nspname = any($1)
                    union select c.relowner from pg_class c where c.relnamespace = (select oid from pg_namespace where nspname = $1[1])
                ) o (owner) where not pg_has_role(o.owner, 'usage') limit 1)
            """);
        command.Parameters.Add(new() { Value = new[] { store.Schema, store.AuditSchema } });
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return new SchemaRights(reader.GetString(0), reader.GetBoolean(1), reader.GetBoolean(2), reader.IsDBNull(3) ? null : reader.GetString(3));
    }

    private static void RequireSource(string source) => _ = new StreamName(source, "any");

    private List<string> Upgrade()
    {
        var result = PostgresqlExtensions.PostgresqlDatabase(new PostgresqlConnectionManager(store.Database), store.Schema)
            .JournalToPostgresqlTable(store.Schema, Journal)
            .WithScripts(Migrations.Names.Select(n => new SqlScript(n, Migrations.Read(n, store.Schema))))
            // Marten's function bodies are quoted by $function$, which is no variable of ours.
            .WithVariablesDisabled()
            .WithTransaction()
            .WithExecutionTimeout(TimeSpan.FromHours(1))
            .LogTo(new NoOpUpgradeLog())
            .Build()
            .PerformUpgrade();
        if (result.Successful)
            return [.. result.Scripts.Select(s => s.Name)];
        if (LogException.Explains(result.Error))
            throw LogException.From(result.ErrorScript is { } script ? $"Migration {script.Name}" : "Migrating the schema", store, result.Error);
        throw result.Error;
    }

    private async Task<T> Try<T>(string doing, Func<Task<T>> run)
    {
        try
        {
            return await run();
        }
        catch (Exception e) when (LogException.Explains(e))
        {
            throw LogException.From(doing, store, e);
        }
    }
}
