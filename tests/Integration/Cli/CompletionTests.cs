using System.Diagnostics;
using Maplog.Servers;
using Maplog.Tests.Recorded;
using Xunit;

namespace Maplog.Tests.Integration.Cli;

/// <summary>In a bash of its own that has sourced what <c>maplog completion bash</c> prints.</summary>
public sealed class CompletionTests(TestPostgres postgres)
{
    [Fact]
    public async Task Bash_completes_verbs_and_options()
    {
        Assert.Equal(["describe", "detach", "diff", "doctor", "dump"], await CompleteAsync("", "d"));
        Assert.Contains("--json", await CompleteAsync("", "dump", "lb-1/ct_map", "--js"));
        Assert.Empty(await CompleteAsync("", "nonsense", "x"));
        Assert.Contains("--root", await CompleteAsync("", "standby", "drain", "--ro"));
    }

    [Fact]
    public async Task Bash_completes_the_names_of_streams_from_the_log()
    {
        await using var log = await CommandLog.MakeAsync(postgres);
        log.Note(CommandLog.Map(new(1, 4, 2, 1024, 0, 0)));
        await log.CommitAsync();
        // A process that has just begun, on a busy machine, may have used up its second before the log could answer: as a person does, the key is pressed again.
        string[] found = [];
        for (var presses = 0; presses < 10 && found.Length == 0; presses++)
            found = await CompleteAsync(log.Connection, "dump", "lb");
        Assert.Equal(["lb-1/ct_map"], found);
        Assert.Equal(["lb-1/ct_map"], await WordsAsync(log, "prune", "lb"));
    }

    [Fact]
    public async Task Bash_completes_sources_and_nodes_from_the_log()
    {
        await using var log = await CommandLog.MakeAsync(postgres);
        await using (var source = Npgsql.NpgsqlDataSource.Create(log.Connection))
        await using (var writer = source.CreateCommand("insert into maplog.writers (source, node, epoch, since, until) values ('lb-1', 'node-a', 1, now(), now())"))
            await writer.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        foreach (var verb in new[] { "status", "maps", "promote", "detach" })
            Assert.Equal(["lb-1"], await WordsAsync(log, verb, "lb"));
        Assert.Equal(["node-a"], await WordsAsync(log, "forget", "no"));
        Assert.Equal(["node-a"], await WordsAsync(log, "promote", "lb-1", "--node", "no"));
    }

    [Fact]
    public async Task Nothing_that_looks_like_a_path_is_offered_as_an_option() =>
        Assert.DoesNotContain(await CompleteAsync("", "status", "/"), word => word is "/?" or "/h");

    [Fact]
    public async Task A_server_that_accepts_and_never_answers_completes_nothing()
    {
        using var silent = new SilentServer();
        Assert.Empty(await CompleteAsync(silent.Connection, "dump", "lb"));
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("dump", "--help")]
    [InlineData("status", "--help")]
    [InlineData("audit", "index", "-h")]
    public async Task Help_connects_to_nothing(params string[] arguments)
    {
        using var silent = new SilentServer();
        var run = await CommandRun.OfAsync([.. arguments, "--log", silent.Connection]);
        Assert.Equal(0, run.Code);
        Assert.False(silent.HasCaller);
    }

    [Fact]
    public async Task A_log_that_is_away_completes_nothing_and_writes_nothing_into_the_line() =>
        Assert.Empty(await CompleteAsync("Host=127.0.0.1;Port=1", "dump", "lb"));

    // What the scripts call, in this process.
    private static async Task<string[]> WordsAsync(CommandLog log, params string[] words) =>
        (await CommandRun.OfAsync(["complete", "--", "--log", log.Connection, .. words])).Lines;

    // The shell's own variables hold what has been typed after `maplog`, the cursor at the end of the last word.
    private static async Task<string[]> CompleteAsync(string connection, params string[] words)
    {
        const string Typed = """
            PATH=$1:$PATH; shift
            source <(maplog completion bash) || exit
            COMP_WORDS=(maplog "$@"); COMP_CWORD=$#
            _maplog
            [ ${#COMPREPLY[@]} = 0 ] || printf '%s\n' "${COMPREPLY[@]}"
            """;
        var start = new ProcessStartInfo("bash", ["--norc", "-c", Typed, "bash", Repository.Bin, .. words]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["Maplog__Log__ConnectionString"] = connection;
        using var bash = Process.Start(start)!;
        var error = bash.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await bash.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await bash.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal("", await error);
        Assert.Equal(0, bash.ExitCode);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
