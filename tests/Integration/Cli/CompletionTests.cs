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
        Assert.Equal(["detach", "diff", "doctor", "dump"], await CompleteAsync("", "d"));
        Assert.Contains("--json", await CompleteAsync("", "dump", "lb-1/ct_map", "--js"));
        Assert.Empty(await CompleteAsync("", "nonsense", "x"));
    }

    [Fact]
    public async Task Bash_completes_the_names_of_streams_from_the_log()
    {
        await using var log = await CommandLog.MakeAsync(postgres);
        log.Note(CommandLog.Map(new(1, 4, 2, 1024, 0, 0)));
        await log.CommitAsync();
        Assert.Equal(["lb-1/ct_map"], await CompleteAsync(log.Connection, "dump", "lb"));
    }

    [Fact]
    public async Task A_log_that_is_away_completes_nothing_and_writes_nothing_into_the_line() =>
        Assert.Empty(await CompleteAsync("Host=127.0.0.1;Port=1", "dump", "lb"));

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
