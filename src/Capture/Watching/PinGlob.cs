using System.IO.Enumeration;

namespace Maplog.Capture.Watching;

/// <summary>
/// Pins named by a path with wildcards, <c>/sys/fs/bpf/lb*/ct_*</c>: <c>*</c> means any characters of a name, <c>?</c> one. A pin's
/// tail is its path from the first part with a wildcard on, with dots for slashes (<c>lb1.ct_map</c>). A BPF file system takes no
/// name with a dot, therefore no two pins have the same tail.
/// </summary>
internal sealed class PinGlob
{
    private static readonly char[] Wildcards = ['*', '?'];

    private readonly string _folder;
    private readonly string[] _patterns;

    /// <param name="path">A whole path with at least one wildcard.</param>
    public PinGlob(string path)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var fixedParts = parts.TakeWhile(p => p.IndexOfAny(Wildcards) < 0).ToArray();
        _folder = "/" + string.Join('/', fixedParts);
        _patterns = parts[fixedParts.Length..];
    }

    public static bool Is(string path) => path.IndexOfAny(Wildcards) >= 0;

    /// <summary>The pins that it means at this moment, in the order of their names.</summary>
    public IReadOnlyList<string> Paths()
    {
        List<string> paths = [_folder];
        for (var i = 0; i < _patterns.Length; i++)
        {
            var (pattern, isLast) = (_patterns[i], i == _patterns.Length - 1);
            paths = [.. paths.SelectMany(folder => Entries(folder, isLast)).Where(path => Matches(pattern, Path.GetFileName(path)))];
        }
        paths.Sort(StringComparer.Ordinal);
        return paths;
    }

    public string TailOf(string path) => string.Join('.', path.Split('/', StringSplitOptions.RemoveEmptyEntries)[^_patterns.Length..]);

    /// <summary>The path of the pin with this tail; null: it means no such pin.</summary>
    public string? PathOf(string tail)
    {
        var names = tail.Split('.');
        return names.Length == _patterns.Length && names.Zip(_patterns).All(n => Matches(n.Second, n.First)) ? Path.Combine([_folder, .. names]) : null;
    }

    private static bool Matches(string pattern, string name) => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false);

    private static IEnumerable<string> Entries(string folder, bool isLast)
    {
        try
        {
            // A pin that is being replaced has a second name for a moment, which Bpffs.Pin gives it.
            return isLast ? [.. Directory.EnumerateFiles(folder).Where(p => !p.Contains("_new_", StringComparison.Ordinal))] : [.. Directory.EnumerateDirectories(folder)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // it is not there yet, or gone at this moment
        }
    }
}
