using System.Text.RegularExpressions;
using Maplog.Servers;
using Maplog.Tests.Integration.Cli;
using Maplog.Tests.Recorded;
using Npgsql;
using Xunit;

namespace Maplog.Tests.Integration.Log;

/// <summary>docs/access.md, statement by statement, on a server where nothing is prepared.</summary>
public sealed partial class AccessPageTests(TestPostgres postgres)
{
    // Roles belong to the whole server: each name of the page gets an ending of this test's own.
    private readonly string _own = Guid.NewGuid().ToString("N")[..8];

    [Fact]
    public async Task The_logins_of_the_access_page_can_do_their_tasks_and_no_others()
    {
        await postgres.StartAsync();
        var page = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs/access.md"), TestContext.Current.CancellationToken);
        var blocks = SqlBlock().Matches(page).Select(m => m.Groups[1].Value).ToList();
        Assert.Equal(2, blocks.Count);

        await AsSuperuserAsync(blocks[0]);
        await SucceedsAsync("maplog_owner", "owner-secret", "migrate");
        await SucceedsAsync("maplog_owner", "owner-secret", "source", "add", "lb-1");
        await AsSuperuserAsync(blocks[1]);

        await SucceedsAsync("lb_capture", "capture-secret", "doctor", "--only", "log", "--source", "lb-1");
        await SucceedsAsync("lb_replica", "replica-secret", "maps");
        await SucceedsAsync("anna", "anna-secret", "audit", "lag");
        await SucceedsAsync("pruner", "pruner-secret", "prune", "--before", "1 hour ago");

        Assert.Contains("may not append", (await RunAsync("lb_replica", "replica-secret", "doctor", "--only", "log", "--source", "lb-1")).Output, StringComparison.Ordinal);
        Assert.Equal(1, (await RunAsync("lb_replica", "replica-secret", "audit", "lag")).Code);
        Assert.Equal(1, (await RunAsync("lb_capture", "capture-secret", "source", "add", "lb-2")).Code);
    }

    private async Task AsSuperuserAsync(string block)
    {
        await using var source = NpgsqlDataSource.Create(postgres.ConnectionString);
        foreach (var statement in Renamed(block).Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            await using var command = source.CreateCommand(statement);
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
    }

    private async Task SucceedsAsync(string user, string password, params string[] arguments)
    {
        var run = await RunAsync(user, password, arguments);
        Assert.True(run.Code == 0, $"{user}: {string.Join(' ', arguments)}: {run.Error}{run.Output}");
    }

    private Task<CommandRun> RunAsync(string user, string password, params string[] arguments)
    {
        var log = new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Database = $"maplog_{_own}", Username = $"{user}_{_own}", Password = password };
        return CommandRun.OfAsync([.. arguments, "--log", log.ConnectionString]);
    }

    // The groups maplog_writer, maplog_reader, ... keep their names: migrations make them.
    private string Renamed(string sql) => OwnName().Replace(sql, m => $"{m.Value}_{_own}");

    [GeneratedRegex("```sql\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex SqlBlock();

    [GeneratedRegex(@"\bmaplog_owner\b|\bdatabase maplog\b|\blb_capture\b|\blb_replica\b|\banna\b(?!-)|\bpruner\b(?!-)")]
    private static partial Regex OwnName();
}
