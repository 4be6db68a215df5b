using System.Diagnostics.CodeAnalysis;

namespace Maplog.Capture.Watching;

/// <summary>
/// The maps that wait for their predecessors' ends, by kernel id. Of those that ended while they waited only the first
/// <see cref="MaxEnded"/> of a stream are kept: a program that makes map after map beside one that stays costs no more.
/// </summary>
internal sealed class WaitingMaps
{
    /// <summary>Maps of one stream that are kept although they ended.</summary>
    public const int MaxEnded = 256;

    /// <summary>Bytes of records kept, of all maps together; a map that finds no room is read itself when its turn comes.</summary>
    private const long MaxBytes = 32 << 20;

    private readonly Dictionary<uint, WaitingMap> _maps = [];
    private readonly WaitingRoom _room = new(MaxBytes);

    public int Count => _maps.Count;

    public IReadOnlyCollection<uint> Ids => _maps.Keys;

    public bool Contains(uint id) => _maps.ContainsKey(id);

    public bool TryGet(uint id, [NotNullWhen(true)] out WaitingMap? map) => _maps.TryGetValue(id, out map);

    public void Add(MetMap met, bool hasWaited) => _maps.Add(met.Info.Id, new WaitingMap(met, hasWaited, _room));

    /// <summary>The streams for which maps wait.</summary>
    public IEnumerable<string> Streams => _maps.Values.Select(w => w.Met.Name).Distinct();

    /// <summary>The maps that wait for a stream, the oldest first.</summary>
    public IReadOnlyList<WaitingMap> Of(string stream) => [.. _maps.Values.Where(w => w.Met.Name == stream).OrderBy(w => w.Met.Since)];

    /// <summary>Takes a map out, with its records.</summary>
    public void Remove(WaitingMap map) => _maps.Remove(map.Info.Id);

    /// <summary>Up to where the ring can be released.</summary>
    /// <param name="upTo">Up to here all else is committed.</param>
    /// <param name="most">Bytes that may stay.</param>
    public ulong ReleasableUpTo(ulong upTo, ulong most)
    {
        var releasable = upTo;
        foreach (var map in _maps.Values)
            releasable = Math.Min(releasable, map.HoldBack(upTo, most));
        return releasable;
    }

    /// <summary>Takes out the maps that ended without a change, and those that ended and are too many.</summary>
    /// <param name="hasEnded">Whether a map has ended, and all its records are read.</param>
    public IReadOnlyList<WaitingMap> TakeSuperfluous(Func<uint, bool> hasEnded)
    {
        var superfluous = new List<WaitingMap>();
        foreach (var stream in _maps.Values.Where(w => hasEnded(w.Info.Id)).GroupBy(w => w.Met.Name))
        {
            superfluous.AddRange(stream.Where(w => w.Changes == 0));
            superfluous.AddRange(stream.Where(w => w.Changes > 0).OrderBy(w => w.Met.Since).Skip(MaxEnded));
        }
        foreach (var map in superfluous)
        {
            Remove(map);
            map.Leave();
        }
        return superfluous;
    }
}
