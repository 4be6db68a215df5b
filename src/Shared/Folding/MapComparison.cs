namespace Maplog.Folding;

/// <summary>
/// Holds a map's content against its log's: key by key, byte by byte. An array's entries that were never written are zeros;
/// a map of an LRU kind may have evicted, so that it can be a subset with equal values.
/// </summary>
public sealed class MapComparison
{
    private readonly SortedSet<MapDifference> _differences = new(Comparer<MapDifference>.Create((a, b) => a.Key.AsSpan().SequenceCompareTo(b.Key)));

    private MapComparison()
    {
    }

    /// <summary>Entries on which both agree; an array's untouched ones are not counted.</summary>
    public int Equal { get; private set; }

    /// <summary>Entries of the log that an LRU map does not have, where that is allowed.</summary>
    public int Evicted { get; private set; }

    /// <summary>All that they do not agree on.</summary>
    public long DifferenceCount { get; private set; }

    /// <summary>The first of them, in the order of their keys' bytes.</summary>
    public IReadOnlyList<MapDifference> Differences => [.. _differences];

    public bool IsEqual => DifferenceCount == 0;

    /// <param name="logged">The log's content.</param>
    /// <param name="live">The map's content; of a longest-prefix trie with the bits beyond the prefix cleared (<see cref="LpmKey"/>).</param>
    /// <param name="hasEveryEntry">An array kind: it has every index, written or not.</param>
    /// <param name="mayEvict">An LRU kind: entries it lacks are no difference.</param>
    /// <param name="keep">How many differences to keep in <see cref="Differences"/>.</param>
    public static MapComparison Of(MapFold logged, MapFold live, bool hasEveryEntry = false, bool mayEvict = false, int keep = 100)
    {
        var comparison = new MapComparison();
        foreach (var entry in logged)
        {
            if (!live.TryGet(entry.Key, out var value))
                comparison.Lacks(entry, mayEvict, keep);
            else if (value.SequenceEqual(entry.Value))
                comparison.Equal++;
            else
                comparison.Add(DifferenceKind.Different, entry.Key, entry.Value.ToArray(), value.ToArray(), keep);
        }
        foreach (var entry in live)
            if (!logged.Contains(entry.Key) && !(hasEveryEntry && !entry.Value.ContainsAnyExcept((byte)0)))
                comparison.Add(DifferenceKind.Extra, entry.Key, null, entry.Value.ToArray(), keep);
        return comparison;
    }

    private void Lacks(FoldEntry entry, bool mayEvict, int keep)
    {
        if (mayEvict)
            Evicted++;
        else
            Add(DifferenceKind.Missing, entry.Key, entry.Value.ToArray(), null, keep);
    }

    private void Add(DifferenceKind kind, ReadOnlySpan<byte> key, byte[]? logged, byte[]? live, int keep)
    {
        DifferenceCount++;
        if (keep <= 0 || _differences.Count == keep && key.SequenceCompareTo(_differences.Max!.Key) > 0)
            return;
        _differences.Add(new MapDifference(kind, key.ToArray(), logged, live));
        if (_differences.Count > keep)
            _differences.Remove(_differences.Max!);
    }
}
