using System.Globalization;

namespace Maplog.Benchmarks.Pipelines;

/// <summary>CPU time of this process' descendants, by the name of their program: who pays for a change.</summary>
internal static class CpuTime
{
    private const double TicksPerSecond = 100; // USER_HZ

    /// <summary>Seconds so far, of those that have ended too.</summary>
    public static Dictionary<string, double> Read()
    {
        var all = new Dictionary<int, (int Parent, string Name, double Seconds)>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id) && TryRead($"{folder}/stat") is { } stat)
                all[id] = stat;
        }
        var sums = new Dictionary<string, double>();
        foreach (var (id, (_, name, seconds)) in all)
        {
            if (Descends(id))
                sums[name] = sums.GetValueOrDefault(name) + seconds;
        }
        return sums;

        bool Descends(int id) => all.TryGetValue(id, out var of) && (of.Parent == Environment.ProcessId || of.Parent > 1 && Descends(of.Parent));
    }

    private static (int Parent, string Name, double Seconds)? TryRead(string path)
    {
        try
        {
            var stat = File.ReadAllText(path);
            var nameEnd = stat.LastIndexOf(')');
            var fields = stat[(nameEnd + 2)..].Split(' ');
            // From the third field of proc(5) on: 4 is the parent, 14 to 17 user and system time, own and of children that were waited for.
            return (Number(4), stat[(stat.IndexOf('(', StringComparison.Ordinal) + 1)..nameEnd], (Number(14) + Number(15) + Number(16) + Number(17)) / TicksPerSecond);

            int Number(int field) => int.Parse(fields[field - 3], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null; // it has ended
        }
    }
}
