using Maplog.Folding;
using Maplog.Kernel;

namespace Maplog.Cli.TimeTravel;

/// <summary>
/// The changes that make a live map equal to a fold, in the order that is safest for readers of the map: entries that stay are never
/// missing, values change in place, and deletes come last. If the map has no room for old and new entries together, or is an LRU map that
/// would evict entries, deletes come first.
/// </summary>
internal sealed class MapPlan
{
    // Tags of the wanted entries.
    private const ushort Add = 0, Update = 1, Right = 2;

    private readonly BpfMap _map;
    private readonly MapFold _wanted;
    // Only keys: entries to delete, and entries of an array that become zero.
    private readonly MapFold _deletes, _zeros;
    private readonly MapBatches _batches;

    private MapPlan(BpfMap map, MapFold wanted)
    {
        (_map, _wanted) = (map, wanted);
        _deletes = new MapFold(map.Info.KeySize, 0);
        _zeros = new MapFold(map.Info.KeySize, 0);
        _batches = new MapBatches(map);
    }

    public int Adds { get; private set; }

    public int Updates { get; private set; }

    public int Deletes => _deletes.Count;

    /// <summary>Entries that are equal already.</summary>
    public int Same { get; private set; }

    public int Total => Adds + Updates + Deletes;

    /// <summary>Entries changed so far.</summary>
    public int Done => _batches.Done;

    public bool DeletesFirst { get; private set; }

    /// <summary>The order of the changes, in words.</summary>
    public string Order => _map.Info.Type.IsArray()
        ? "values change in place; entries that were never written become zero"
        : DeletesFirst
            ? $"deletes, then updates, then adds, because the map {(_map.Info.Type.IsLru() ? "would evict entries to make room" : "has no room for old and new entries together")}"
            : "updates in place, then adds, then deletes, so that no entry that stays is ever missing";

    /// <summary>The first changes, in their order.</summary>
    public IReadOnlyList<(string What, byte[] Key, byte[]? Value)> First(int most)
    {
        var first = new List<(string, byte[], byte[]?)>();
        Show("update", Update, _wanted);
        foreach (var entry in _zeros)
            if (first.Count < most)
                first.Add(("update", entry.Key.ToArray(), new byte[_wanted.ValueSize]));
        Show("add", Add, _wanted);
        foreach (var entry in _deletes)
            if (first.Count < most)
                first.Add(("delete", entry.Key.ToArray(), null));
        return first;

        void Show(string what, ushort tag, MapFold entries)
        {
            foreach (var entry in entries)
                if (first.Count < most && entry.Tag == tag)
                    first.Add((what, entry.Key.ToArray(), entry.Value.ToArray()));
        }
    }

    /// <param name="map">The live map, which is read.</param>
    /// <param name="wanted">The wanted content; its tags are used.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public static MapPlan Of(BpfMap map, MapFold wanted, CancellationToken cancellation)
    {
        var plan = new MapPlan(map, wanted);
        foreach (var entry in wanted)
            Retag(entry, Add);
        plan.Compare(cancellation);
        foreach (var entry in wanted)
        {
            plan.Adds += entry.Tag == Add ? 1 : 0;
            plan.Updates += entry.Tag == Update ? 1 : 0;
            plan.Same += entry.Tag == Right ? 1 : 0;
        }
        plan.Updates += plan._zeros.Count;
        var live = plan.Updates + plan.Same + plan.Deletes;
        plan.DeletesFirst = plan.Deletes > 0 && (map.Info.Type.IsLru() || live + plan.Adds > map.Info.MaxEntries);
        return plan;
    }

    /// <summary>
    /// Applies the plan batch by batch. A cancellation ends it between two batches, and <see cref="Done"/> has the progress.
    /// </summary>
    public void Apply(Progress progress, CancellationToken cancellation)
    {
        if (DeletesFirst)
            Delete(progress, cancellation);
        Put(_wanted, Update, progress, cancellation);
        Put(_wanted, Add, progress, cancellation);
        var zero = new byte[_wanted.ValueSize];
        foreach (var entry in _zeros)
            _batches.Put(entry.Key, zero, progress, cancellation);
        _batches.FlushPuts(progress, cancellation);
        if (!DeletesFirst)
            Delete(progress, cancellation);
    }

    // A scan may return an entry twice: the later value counts.
    private void Compare(CancellationToken cancellation)
    {
        var (room, info) = (_batches.Room, _map.Info);
        var (isTrie, isArray) = (info.Type == MapType.LpmTrie, info.Type.IsArray());
        byte[] keys = new byte[room * info.KeySize], values = new byte[room * info.ValueBytes];
        var scan = _map.Scan(room);
        for (int count; (count = scan.Next(keys, values)) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            for (var i = 0; i < count; i++)
            {
                var key = keys.AsSpan(i * info.KeySize, info.KeySize);
                var value = values.AsSpan(i * info.ValueBytes, info.ValueBytes);
                if (isTrie)
                    LpmKey.Normalise(key);
                if (_wanted.TryFind(key, out var entry))
                    Retag(entry, entry.Value.SequenceEqual(value) ? Right : Update);
                else if (!isArray)
                    _deletes.FindOrAdd(key, out _);
                else if (value.ContainsAnyExcept((byte)0))
                    _zeros.FindOrAdd(key, out _);
                else
                    Same++;
            }
        }
    }

    private void Put(MapFold entries, ushort tag, Progress progress, CancellationToken cancellation)
    {
        foreach (var entry in entries)
            if (entry.Tag == tag)
                _batches.Put(entry.Key, entry.Value, progress, cancellation);
        _batches.FlushPuts(progress, cancellation);
    }

    private void Delete(Progress progress, CancellationToken cancellation)
    {
        foreach (var entry in _deletes)
            _batches.Delete(entry.Key, progress, cancellation);
        _batches.FlushDeletes(progress, cancellation);
    }

    private static void Retag(FoldEntry entry, ushort tag) => entry.Tag = tag;
}
