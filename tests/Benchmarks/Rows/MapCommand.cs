using Maplog.Cli;
using Maplog.Cli.Output;

namespace Maplog.Benchmarks.Rows;

/// <summary>The command <c>maplog</c>, whole, in this process: a new connection each time, nothing kept.</summary>
internal static class MapCommand
{
    public static async Task RunAsync(string connection, params string[] arguments)
    {
        using var output = new MemoryStream();
        await using var error = new StringWriter();
        int code;
        using (var terminal = new Terminal(output, error, isForPeople: false))
            code = await CommandTree.RunAsync([.. arguments, "--log", connection], terminal);
        if (code != 0 || error.ToString().Length > 0)
            throw new InvalidOperationException($"maplog {string.Join(' ', arguments)} ended with {code}: {error}");
    }
}
