using Maplog.Events;
using Maplog.Tests.Integration.Cli;
using Npgsql;
using Xunit;

namespace Maplog.Tests.Integration.Log;

/// <summary>Who may do what to a log, on a server of their own: one test after the other takes its roles away.</summary>
public sealed class RightsTests(OwnRoles postgres) : IClassFixture<OwnRoles>
{
    private static readonly string[] Roles = ["maplog_writer", "maplog_reader", "maplog_auditor", "maplog_admin"];

    [Fact]
    public async Task An_owner_who_may_not_make_roles_learns_which_are_missing_and_makes_views_all_the_same()
    {
        var log = await DatabaseAsync("owner");
        var run = await CommandRun.OfAsync("migrate", "--log", log);
        Assert.Equal(0, run.Code);
        var sentence = Assert.Single(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.All(Roles, role => Assert.Contains($"create role {role} nologin", sentence, StringComparison.Ordinal));
        Assert.Equal(0, (await CommandRun.OfAsync("source", "add", "lb-1", "--log", log)).Code);
        await AppendAsync(log);
        var view = await CommandRun.OfAsync("audit", "view", "lb-1/ct_map", "--log", log);
        Assert.Equal("", view.Error);
        Assert.Equal(0, view.Code);

        // An administrator makes them, and the next migrate gives them their rights.
        await AsAdministratorAsync(log, string.Join(";", Roles.Select(r => $"create role {r} nologin")));
        run = await CommandRun.OfAsync("migrate", "--log", log);
        Assert.Equal("", run.Error);
        await AssertGrantedAsync(log);
    }

    [Fact]
    public async Task Whoever_does_not_own_the_log_is_told_the_owner_and_no_SQL()
    {
        var log = await DatabaseAsync("owner");
        Assert.Equal(0, (await CommandRun.OfAsync("migrate", "--log", log)).Code);
        await AsAdministratorAsync(log, "drop role if exists guest; create role guest login password 'secret'; grant usage on schema maplog to guest; grant select on all tables in schema maplog to guest");
        var guest = new NpgsqlConnectionStringBuilder(log) { Username = "guest", Password = "secret" }.ConnectionString;
        var run = await CommandRun.OfAsync("source", "add", "lb-1", "--log", guest);
        Assert.Equal(1, run.Code);
        Assert.Contains("belongs to role 'owner', and 'guest' is not a member of that role: run the command as 'owner'.", run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        await AsAdministratorAsync(log, "delete from maplog.schema_versions where scriptname = (select max(scriptname) from maplog.schema_versions)");
        Assert.Contains("run the command as 'owner'", (await CommandRun.OfAsync("migrate", "--log", guest)).Error, StringComparison.Ordinal);
        await AsAdministratorAsync(log, "drop owned by guest; drop role guest");
    }

    [Fact]
    public async Task Whoever_may_not_make_a_schema_is_told_the_grant_that_is_missing()
    {
        var log = await DatabaseAsync("owner");
        await AsAdministratorAsync(log, "drop role if exists stranger; create role stranger login password 'secret'");
        var run = await CommandRun.OfAsync("migrate", "--log", new NpgsqlConnectionStringBuilder(log) { Username = "stranger", Password = "secret" }.ConnectionString);
        Assert.Equal(1, run.Code);
        Assert.Contains("grant create on database", run.Error, StringComparison.Ordinal);
        await AsAdministratorAsync(log, "drop role stranger");
    }

    [Fact]
    public async Task A_standby_takes_no_source_and_says_so()
    {
        var log = await DatabaseAsync("owner");
        Assert.Equal(0, (await CommandRun.OfAsync("migrate", "--log", log)).Code);
        var readOnly = new NpgsqlConnectionStringBuilder(log) { Options = "-c default_transaction_read_only=on" }.ConnectionString;
        var run = await CommandRun.OfAsync("source", "add", "lb-1", "--log", readOnly);
        Assert.Equal(1, run.Code);
        Assert.Contains("Name the primary in the log's ConnectionString.", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Grants_and_roles_that_a_restore_has_lost_are_made_again_by_migrate()
    {
        var log = await DatabaseAsync("maplog");
        Assert.Equal(0, (await CommandRun.OfAsync("migrate", "--log", log)).Code);
        Assert.Equal(0, (await CommandRun.OfAsync("source", "add", "lb-1", "--log", log)).Code);
        await AppendAsync(log);
        Assert.Equal(0, (await CommandRun.OfAsync("audit", "view", "lb-1/ct_map", "--log", log)).Code);
        await AssertGrantedAsync(log);

        // As pg_restore --no-privileges leaves them on a server that never had the roles.
        await AsAdministratorAsync(log, string.Join(";", Roles.Select(r => $"drop owned by {r}; drop role {r}"))
            + ";grant execute on all functions in schema maplog, audit to public");
        Assert.Equal(0, (await CommandRun.OfAsync("migrate", "--log", log)).Code);
        await AssertGrantedAsync(log);
    }

    [Fact]
    public async Task A_view_that_an_admin_has_made_does_not_stand_in_the_way_of_a_new_source()
    {
        var log = await DatabaseAsync("maplog");
        Assert.Equal(0, (await CommandRun.OfAsync("migrate", "--log", log)).Code);
        await AsAdministratorAsync(log, """
            do $$ begin create role owner login password 'secret'; exception when duplicate_object then null; end $$;
            create role an_admin; grant maplog_admin to an_admin; set role an_admin; create view audit.mine as select 1 as x; reset role;
            """);
        await AsAdministratorAsync(log, string.Join(";", Roles.Select(r => $"alter schema maplog owner to owner; alter schema audit owner to owner; grant {r} to owner")) + ";grant create on database " + new NpgsqlConnectionStringBuilder(log).Database + " to owner;" + """
            do $$ declare o record; begin
                for o in select c.oid::regclass as name, relkind from pg_class c where relnamespace in ('maplog'::regnamespace, 'audit'::regnamespace) and relkind in ('r', 'v', 'p') and relname <> 'mine' loop
                    execute format('alter %s %s owner to owner', case o.relkind when 'v' then 'view' else 'table' end, o.name);
                end loop;
                for o in select p.oid::regprocedure as name from pg_proc p where pronamespace in ('maplog'::regnamespace, 'audit'::regnamespace) loop
                    execute format('alter function %s owner to owner', o.name);
                end loop;
                for o in select c.oid::regclass as name from pg_class c where relnamespace = 'maplog'::regnamespace and relkind = 'S' and relname = 'mt_events_sequence' loop
                    execute format('alter sequence %s owner to owner', o.name);
                end loop;
            end $$;
            """);
        var run = await CommandRun.OfAsync("source", "add", "lb-1", "--log", new NpgsqlConnectionStringBuilder(log) { Username = "owner", Password = "secret" }.ConnectionString);
        Assert.Equal("", run.Error);
        Assert.Equal(0, run.Code);
        await AsAdministratorAsync(log, "drop owned by an_admin; drop role an_admin");
    }

    // A reader reads the log and its auditor the typed view too, and nobody but an admin prunes.
    private static async Task AssertGrantedAsync(string log)
    {
        await using var source = NpgsqlDataSource.Create(log);
        await using var command = source.CreateCommand("""
            select has_table_privilege('maplog_reader', 'maplog.mt_events', 'select') and has_schema_privilege('maplog_reader', 'maplog', 'usage')
                and has_table_privilege('maplog_writer', 'maplog.mt_events', 'insert') and has_table_privilege('maplog_writer', 'maplog.writers', 'update')
                and has_table_privilege('maplog_auditor', 'audit."lb-1_ct_map"', 'select') and has_table_privilege('maplog_auditor', 'audit.changes', 'select')
                and has_function_privilege('maplog_admin', 'maplog.prune_events(text, integer)', 'execute')
                and not has_function_privilege('maplog_reader', 'maplog.prune_events(text, integer)', 'execute')
                and not has_function_privilege('maplog_reader', 'audit.index_keys(text, integer)', 'execute')
                and not has_function_privilege('maplog_writer', 'maplog.secure()', 'execute')
            """);
        Assert.True((bool)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!);
    }

    private static async Task AppendAsync(string connection)
    {
        await using var log = new CommandLog(connection);
        log.Note(CommandLog.Map(new(1, 4, 2, 1024, 0, 0)) with { Fields = new MapFields(new FieldType(FieldKind.Number, 4), new FieldType(FieldKind.Number, 2)) });
        await log.CommitAsync();
    }

    /// <summary>An empty database on a server without roles of maplog.</summary>
    /// <param name="owner">A role that owns it and may make no roles; maplog: the superuser.</param>
    private async Task<string> DatabaseAsync(string owner)
    {
        var log = await postgres.CreateDatabaseAsync("rights");
        // Roles are left by the test before only in databases of its own.
        await using (var source = NpgsqlDataSource.Create(postgres.ConnectionString))
        await using (var names = source.CreateCommand("select datname from pg_database where datname like 'rights%' order by 1"))
        {
            var databases = new List<string>();
            await using (var reader = await names.ExecuteReaderAsync(TestContext.Current.CancellationToken))
                while (await reader.ReadAsync(TestContext.Current.CancellationToken))
                    databases.Add(reader.GetString(0));
            foreach (var database in databases)
                foreach (var role in Roles)
                    await AsAdministratorAsync(new NpgsqlConnectionStringBuilder(log) { Database = database }.ConnectionString,
                        $"do $$ begin if to_regrole('{role}') is not null then drop owned by {role}; end if; end $$");
        }
        await AsAdministratorAsync(log, string.Join(";", Roles.Select(r => $"drop role if exists {r}")));
        if (owner == "maplog")
            return log;
        var name = new NpgsqlConnectionStringBuilder(log).Database;
        await AsAdministratorAsync(log, $"do $$ begin create role {owner} login password 'secret'; exception when duplicate_object then null; end $$; alter database {name} owner to {owner}");
        return new NpgsqlConnectionStringBuilder(log) { Username = owner, Password = "secret" }.ConnectionString;
    }

    private async Task AsAdministratorAsync(string log, string sql)
    {
        var connection = new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Database = new NpgsqlConnectionStringBuilder(log).Database, Pooling = false };
        await using var source = NpgsqlDataSource.Create(connection.ConnectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
