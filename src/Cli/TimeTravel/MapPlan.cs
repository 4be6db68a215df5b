using Maplog.Folding;
using Maplog.Kernel;

namespace Maplog.Cli.TimeTravel;

/// <summary>
/// What would make a live map equal to a fold, and the order in which that is safest for whoever reads the map meanwhile:
/// entries that stay are never missing, values change in place, and what is to go goes last, unless the map has no room
/// for old and new together (or would throw out entries by itself: an LRU map), in which case it goes first.
/// </summary>
internal sealed class MapPlan
{
    private const int Batch = 4096;
    private readonly List<byte[]> _deletes = [];
    private readonly List<(byte[] Key, byte[] Value)> _adds = [];
    private readonly List<(byte[] Key, byte[] Value)> _updates = [];
    private readonly BpfMap _map;

    private MapPlan(BpfMap map) => _map = map;

    public int Adds => _adds.Count;

    public int Updates => _updates.Count;

    public int Deletes => _deletes.Count;

    /// <summary>Entries that are right already.</summary>
    public int Same { get; private set; }

    public int Total => Adds + Updates + Deletes;

    /// <summary>Entries changed so far.</summary>
    public int Done { get; private set; }

    public bool DeletesFirst { get; private set; }

    /// <summary>How it is applied, in words.</summary>
    public string Order => _map.Info.Type.IsArray()
        ? "values change in place; entries that were never written become zero"
        : DeletesFirst
            ? $"deletes, then updates, then adds, because the map {(_map.Info.Type.IsLru() ? "would evict entries by itself to make room" : "has no room for old and new entries together")}"
            : "updates in place, then adds, then deletes, so that no entry that stays is ever missing";

    public IEnumerable<(string What, byte[] Key, byte[]? Value)> Changes =>
        [.. _updates.Select(u => ("update", u.Key, (byte[]?)u.Value)), .. _adds.Select(a => ("add", a.Key, (byte[]?)a.Value)), .. _deletes.Select(d => ("delete", d, (byte[]?)null))];

    public static MapPlan Of(BpfMap map, MapFold wanted, CancellationToken cancellation)
    {
        var plan = new MapPlan(map);
        var live = LiveMap.Read(map, cancellation);
        var isArray = map.Info.Type.IsArray();
        foreach (var entry in wanted)
        {
            if (!live.TryGet(entry.Key, out var value))
                plan._adds.Add((entry.Key.ToArray(), entry.Value.ToArray()));
            else if (value.SequenceEqual(entry.Value))
                plan.Same++;
            else
                plan._updates.Add((entry.Key.ToArray(), entry.Value.ToArray()));
        }
        foreach (var entry in live)
        {
            if (wanted.Contains(entry.Key))
                continue;
            if (!isArray)
                plan._deletes.Add(entry.Key.ToArray());
            else if (entry.Value.ContainsAnyExcept((byte)0))
                plan._updates.Add((entry.Key.ToArray(), new byte[entry.Value.Length]));
            else
                plan.Same++;
        }
        plan.DeletesFirst = plan.Deletes > 0 && (map.Info.Type.IsLru() || live.Count + plan.Adds > map.Info.MaxEntries);
        return plan;
    }

    /// <summary>Applies it batch by batch; ends between two of them when cancelled, and <see cref="Done"/> says how far it came.</summary>
    public void Apply(Progress progress, CancellationToken cancellation)
    {
        if (DeletesFirst)
            Delete(progress, cancellation);
        Put(_updates, progress, cancellation);
        Put(_adds, progress, cancellation);
        if (!DeletesFirst)
            Delete(progress, cancellation);
    }

    private void Put(List<(byte[] Key, byte[] Value)> entries, Progress progress, CancellationToken cancellation)
    {
        foreach (var chunk in entries.Chunk(Batch))
        {
            cancellation.ThrowIfCancellationRequested();
            _map.UpdateBatch([.. chunk.SelectMany(e => e.Key)], [.. chunk.SelectMany(e => e.Value)], chunk.Length);
            Done += chunk.Length;
            progress.Step(chunk.Length);
        }
    }

    private void Delete(Progress progress, CancellationToken cancellation)
    {
        foreach (var chunk in _deletes.Chunk(Batch))
        {
            cancellation.ThrowIfCancellationRequested();
            _map.DeleteBatch([.. chunk.SelectMany(k => k)], chunk.Length);
            Done += chunk.Length;
            progress.Step(chunk.Length);
        }
    }
}
