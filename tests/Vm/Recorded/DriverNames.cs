using System.Diagnostics;
using System.IO.Enumeration;

namespace Maplog.Tests.Recorded;

/// <summary>All ways of changing a map that mapdriver knows, as it lists them.</summary>
public static class DriverNames
{
    private static readonly Lazy<IReadOnlyList<(string Command, string Row)>> List = new(Ask);

    /// <summary>The rows of a command that match one of the patterns; all, without any.</summary>
    /// <param name="command">rows or born.</param>
    /// <param name="patterns">With * in them.</param>
    public static IEnumerable<string> Of(string command, params string[] patterns) =>
        List.Value.Where(n => n.Command == command && (patterns.Length == 0 || patterns.Any(p => FileSystemName.MatchesSimpleExpression(p, n.Row, ignoreCase: false)))).Select(n => n.Row);

    private static List<(string Command, string Row)> Ask()
    {
        var start = new ProcessStartInfo(Path.Combine(Repository.Driver, "mapdriver"), ["list"]) { RedirectStandardOutput = true };
        using var list = Process.Start(start)!;
        var lines = list.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        list.WaitForExit();
        return [.. lines.Select(l => l.Split('\t')).Select(f => (f[0], f[1]))];
    }
}
