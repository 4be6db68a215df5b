using System.Diagnostics;

namespace Maplog.Tests.Recorded;

/// <summary>All ways of changing a map that mapdriver knows, as it lists them.</summary>
public static class DriverNames
{
    private static readonly Lazy<IReadOnlyList<(string Command, string Row)>> List = new(Ask);

    public static IReadOnlyList<(string Command, string Row)> All => List.Value;

    private static List<(string Command, string Row)> Ask()
    {
        var start = new ProcessStartInfo(Path.Combine(Repository.Driver, "mapdriver"), ["list"]) { RedirectStandardOutput = true };
        using var list = Process.Start(start)!;
        var lines = list.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        list.WaitForExit();
        return [.. lines.Select(l => l.Split('\t')).Select(f => (f[0], f[1]))];
    }
}
