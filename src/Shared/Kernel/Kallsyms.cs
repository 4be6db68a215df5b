namespace Maplog.Kernel;

/// <summary>The names of the running kernel's functions, modules included (/proc/kallsyms): what a kprobe can name.</summary>
public static class Kallsyms
{
    /// <summary>Whether the kernel has a function of this name. Reads the whole list; for several names see <see cref="Present"/>.</summary>
    public static bool Has(string name) => Present([name]).Count == 1;

    /// <summary>Those of the names that the kernel has, in one reading.</summary>
    public static IReadOnlySet<string> Present(IEnumerable<string> names)
    {
        var wanted = names.ToHashSet(StringComparer.Ordinal);
        var found = new HashSet<string>(StringComparer.Ordinal);
        HashSet<string>.AlternateLookup<ReadOnlySpan<char>> lookup = wanted.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (string line in File.ReadLines("/proc/kallsyms"))
        {
            // "ffffffff81000000 T name\t[module]", with zeros for the address when addresses are hidden
            ReadOnlySpan<char> rest = line.AsSpan(line.IndexOf(' ') + 1);
            if (rest.Length < 3 || rest[0] is not ('t' or 'T' or 'w' or 'W'))
                continue;
            ReadOnlySpan<char> name = rest[2..];
            int tab = name.IndexOf('\t');
            if (lookup.TryGetValue(tab < 0 ? name : name[..tab], out string? present) && found.Add(present) && found.Count == wanted.Count)
                break;
        }

        return found;
    }
}
