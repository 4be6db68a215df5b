using Maplog.Events;

namespace Maplog.Cli;

/// <summary>Suggestions for mistyped names.</summary>
internal static class Near
{
    private const int Most = 3;

    /// <summary>Names that one or two typing errors turn into the given name, the nearest first.</summary>
    public static IReadOnlyList<string> Names(string given, IEnumerable<string> names)
    {
        if (given.Length == 0)
            return [];
        var slips = Math.Max(1, given.Length / 3);
        return [.. names.Select(n => (Name: n, Slips: Distance(given, n))).Where(n => n.Slips <= slips).OrderBy(n => n.Slips).ThenBy(n => n.Name, StringComparer.Ordinal).Take(Most).Select(n => n.Name)];
    }

    /// <summary>Streams with that map name in any source, otherwise streams with a similar whole name.</summary>
    public static IReadOnlyList<string> Streams(string given, IEnumerable<StreamName> streams)
    {
        var all = streams.ToList();
        var map = given[(given.IndexOf('/', StringComparison.Ordinal) + 1)..];
        var sameMap = all.Where(s => s.Map == map).Select(s => s.ToString()).Take(Most).ToList();
        return sameMap.Count > 0 ? sameMap : Names(given, all.Select(s => s.ToString()));
    }

    /// <summary>Letters to insert, remove or replace (Levenshtein).</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }
}
