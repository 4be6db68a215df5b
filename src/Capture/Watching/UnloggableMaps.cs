using Maplog.Events;
using Maplog.Hooking;
using Maplog.Kernel;

namespace Maplog.Capture.Watching;

/// <summary>Maps that targets mean and that cannot be logged: their kind, their size or their stream's name forbids it.</summary>
internal sealed class UnloggableMaps(IReadOnlyList<WatchedTarget> targets)
{
    /// <summary>A value is one event in the log and one field in Postgres, whose messages end at 1 GB.</summary>
    public const int MaxEntryBytes = 64 << 20;

    private readonly Dictionary<uint, (WatchedTarget Target, string Sentence)> _maps = [];

    /// <returns>Why the map cannot be logged, or null.</returns>
    public static string? WhyNot(MapInfo info, WatchedTarget target, string stream)
    {
        var why = !HookedFunction.Supports(info.Type)
            ? $"a map of type {info.Type} holds kernel objects, or is of a kind that maplog does not know. maplog replicates hash, LRU hash, array, LPM trie and their per-CPU kinds."
            : (long)info.KeySize + info.ValueBytes > MaxEntryBytes
            ? $"its entries have keys of {info.KeySize} and values of {info.ValueBytes} bytes, but an entry may have at most {MaxEntryBytes}."
            : info.ValueBytes == 0
            ? "its values have no bytes."
            : !StreamName.IsMap(stream)
            ? $"'{stream}' is not a stream name. Give it one: {target.Text}={(target.Pin is not null && target.IsPrefix ? "STREAM-*" : "STREAM")}, of 1 to 64 of A-Z, a-z, 0-9, '_', '.' and '-'."
            : null;
        return why is null ? null : $"Map {info.Name} (id {info.Id}) matches '{target.Text}', but cannot be replicated: {why}";
    }

    /// <returns>Whether the map was met for the first time.</returns>
    public bool Add(uint id, WatchedTarget target, string sentence) => _maps.TryAdd(id, (target, sentence));

    /// <summary>Forgets the maps that are gone.</summary>
    public void Forget(HashSet<uint> alive)
    {
        foreach (var id in _maps.Keys.Where(id => !alive.Contains(id)).ToList())
            _maps.Remove(id);
    }

    /// <summary>Why there is nothing to watch: each target names a single map, and that map cannot be logged.</summary>
    public string? NothingElse() => targets.All(t => !t.IsPrefix && _maps.Values.Any(m => m.Target == t)) ? _maps.Values.First().Sentence : null;
}
