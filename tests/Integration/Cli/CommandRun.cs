using System.Diagnostics;
using System.Text;
using Maplog.Cli;
using Maplog.Cli.Output;
using Maplog.Tests.Recorded;

namespace Maplog.Tests.Integration.Cli;

/// <summary>The result of one run of <c>maplog</c>.</summary>
/// <param name="Code">The exit code.</param>
/// <param name="Output">Standard output, a pipe.</param>
/// <param name="Error">Standard error.</param>
internal sealed record CommandRun(int Code, string Output, string Error)
{
    /// <summary>Runs the command from <c>artifacts/bin</c>, the program that a user has. If the test is cancelled, the command is killed.</summary>
    public static async Task<CommandRun> OfAsync(params string[] arguments)
    {
        var cancellation = Xunit.TestContext.Current.CancellationToken;
        var start = new ProcessStartInfo(Path.Combine(Repository.Bin, "maplog"), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellation);
            var error = process.StandardError.ReadToEndAsync(cancellation);
            await process.WaitForExitAsync(cancellation);
            return new CommandRun(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
    }

    /// <summary>Runs the command in this process, for tests that run it hundreds of times.</summary>
    public static async Task<CommandRun> InProcessAsync(params string[] arguments)
    {
        using var output = new MemoryStream();
        await using var error = new StringWriter();
        int code;
        using (var terminal = new Terminal(output, error, isForPeople: false))
            code = await CommandTree.RunAsync(arguments, terminal, Xunit.TestContext.Current.CancellationToken);
        return new CommandRun(code, Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }

    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
