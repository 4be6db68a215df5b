namespace Maplog.Tests.Recorded;

/// <summary>The files of one run of mapdriver: what it changed, and what its maps held in the end.</summary>
public sealed class DriverRecord
{
    private readonly Dictionary<string, List<DriverChange>> _changes = [];
    private readonly string _folder;

    public DriverRecord(string folder)
    {
        _folder = folder;
        var lines = File.ReadAllLines(Path.Combine(folder, "rows.txt"));
        Kernel = lines[0].Split('\t')[1];
        Rows = lines.Where(l => l[0] != '#').Select(DriverRow.Parse).ToLookup(r => r.Map);
        foreach (var fields in File.ReadLines(Path.Combine(folder, "changes.txt")).Select(l => l.Split('\t')))
        {
            if (!_changes.TryGetValue(fields[0], out var changes))
                _changes[fields[0]] = changes = [];
            changes.Add(new DriverChange(fields[1], fields[2], fields[3] == "-" ? "" : fields[3], fields[4]));
        }
    }

    /// <summary>The kernel's release: <c>6.1.0-50-cloud-amd64</c>.</summary>
    public string Kernel { get; }

    /// <summary>By map; several of one map: generations, or writers.</summary>
    public ILookup<string, DriverRow> Rows { get; }

    /// <summary>In the order in which they were made, as far as it is known.</summary>
    public IReadOnlyList<DriverChange> ChangesOf(string map) => _changes.GetValueOrDefault(map) ?? [];

    /// <summary>What the map held in the end, key to value in hex; null if there never was one.</summary>
    public IReadOnlyDictionary<string, string>? DumpOf(string map)
    {
        var path = Path.Combine(_folder, $"{map}.dump");
        return File.Exists(path) ? File.ReadLines(path).Select(l => l.Split('\t')).ToDictionary(f => f[0], f => f[1]) : null;
    }
}
