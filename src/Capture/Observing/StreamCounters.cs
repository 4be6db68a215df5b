using System.Collections.Concurrent;
using Maplog.Events;
using Maplog.Folding;

namespace Maplog.Capture.Observing;

/// <summary>
/// What is counted of one stream since the daemon's start. Written by the capturing loop alone, a plain addition per change;
/// read by whoever collects metrics, who may see a number that is a moment old.
/// </summary>
internal sealed class StreamCounters(string stream)
{
    private readonly long[] _changes = new long[(int)Origin.InPlace + 1];
    private readonly ConcurrentDictionary<string, GapCounter> _gaps = [];

    /// <summary><c>source/map</c>.</summary>
    public string Stream { get; } = stream;

    /// <summary>Keys that several CPUs hit at about the same time, read back once they had settled.</summary>
    public long Ambiguous { get; set; }

    /// <summary>Whole scans brought to their end, as fast as they go.</summary>
    public long Scans { get; set; }

    /// <summary>Whole scans of the background brought to their end.</summary>
    public long Sweeps { get; set; }

    /// <summary>Whole walks over the map's elements.</summary>
    public long Walks { get; private set; }

    /// <summary>Elements of the map that walks looked at.</summary>
    public long WalkedElements { get; private set; }

    /// <summary>Nanoseconds from one look at the whole map to the next: a change in place is found after at most so long; null while there is no map.</summary>
    public long? WalkInterval { get; set; }

    /// <summary>Changes that the hook recorded.</summary>
    public long Seen => Changes(Origin.Program) + Changes(Origin.Syscall) + Changes(Origin.Eviction);

    public void Walked(int elements) => (Walks, WalkedElements) = (Walks + 1, WalkedElements + elements);

    /// <summary>The fold of the map that is captured now; null while there is none.</summary>
    public MapFold? Entries { get; set; }

    /// <summary>The entries for which the map that is captured now has room; null while there is none.</summary>
    public long? MaxEntries => Entries is null ? null : Room;

    /// <summary>The entries for which the latest map had room.</summary>
    public long Room { get; set; }

    public IEnumerable<(string Reason, GapCounter Gaps)> Gaps => _gaps.Select(g => (g.Key, g.Value));

    public long Changes(Origin origin) => Volatile.Read(ref _changes[(int)origin]);

    public void Changed(Origin origin)
    {
        // A hook of another version may know origins that we do not.
        if ((int)origin < _changes.Length)
            _changes[(int)origin]++;
    }

    public void Found(GapFound gap) => _gaps.GetOrAdd(gap.Reason, _ => new GapCounter()).Add(gap.Count);
}
