using System.Globalization;

namespace Maplog.Kernel;

/// <summary>The addresses of the running kernel's functions and variables (/proc/kallsyms).</summary>
public static class Kallsyms
{
    /// <summary>The addresses of the names that the list contains and does not hide; for several equal names the first.</summary>
    public static IReadOnlyDictionary<string, ulong> AddressesOf(params IEnumerable<string> names)
    {
        var wanted = names.ToHashSet(StringComparer.Ordinal);
        var found = new Dictionary<string, ulong>(StringComparer.Ordinal);
        var lookup = wanted.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var line in File.ReadLines("/proc/kallsyms"))
        {
            // "ffffffff81000000 T name\t[module]", with zeros for the address when addresses are hidden
            var address = line.IndexOf(' ', StringComparison.Ordinal);
            var name = line.AsSpan(address + 3);
            if (name.IndexOf('\t') is >= 0 and var tab)
                name = name[..tab];
            if (!lookup.TryGetValue(name, out var known) || ulong.Parse(line.AsSpan(0, address), NumberStyles.HexNumber, CultureInfo.InvariantCulture) is not (> 0 and var at))
                continue;
            if (found.TryAdd(known, at) && found.Count == wanted.Count)
                break;
        }
        return found;
    }
}
