using System.Text;
using Maplog.Cli;
using Maplog.Cli.Output;

namespace Maplog.Tests.Integration.Cli;

/// <summary>What one run of <c>maplog</c> came to.</summary>
/// <param name="Code">The exit code.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
internal sealed record CommandRun(int Code, string Output, string Error)
{
    /// <summary>Runs the command in this process, its output in a pipe.</summary>
    public static async Task<CommandRun> OfAsync(params string[] arguments)
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
