using Maplog.Btf;
using Maplog.Events;
using Maplog.Folding;

namespace Maplog.Cli.TimeTravel;

/// <summary>Follows a stream, or the events of one key, and adds the previous value to each change.</summary>
/// <param name="stream">The stream.</param>
/// <param name="wanted">
/// The wanted keys, for each generation of the map, because keys may differ; null: all. It returns null if no key can match.
/// </param>
internal sealed class KeyTracker(StreamName stream, Func<MapOpened, FieldPattern?>? wanted)
{
    private const long Unknown = long.MinValue;

    private MapFold _values = new(1, 0);
    private MapOpened? _map;
    private FieldPattern? _pattern;

    /// <summary>Begins with the map's content at the beginning of its history; the age of these entries is unknown.</summary>
    public void Begin(StreamFold past)
    {
        Open(past.Generation!);
        foreach (var entry in past.Entries)
        {
            if (wanted is not null && _pattern?.Matches(entry.Key.ToArray()) != true)
                continue;
            var known = _values.FindOrAdd(entry.Key, out _);
            entry.Value.CopyTo(known.Value);
            known.Stamp = Unknown;
        }
    }

    /// <returns>Null: a note, or a change of another key.</returns>
    public KeyChange? Take(in LoggedEvent logged)
    {
        if (logged.Kind == EventKind.MapOpened)
            Open((MapOpened)NoteCodec.Read(logged.Kind, logged.Data.Span));
        if (!logged.Kind.IsChange())
            return null;
        var change = CheckedChange.Read(stream, logged, _map?.Shape);
        var key = change.Key.ToArray();
        if (_map is { } map && LpmKey.Applies(map.Shape))
            LpmKey.Normalise(key);
        if (wanted is not null && _pattern?.Matches(key) != true)
            return null;
        byte[]? old = null;
        TimeSpan? lived = null;
        if (_values.TryFind(key, out var entry))
        {
            old = entry.Value.ToArray();
            lived = entry.Stamp == Unknown ? null : TimeSpan.FromTicks(logged.Time.UtcTicks - entry.Stamp);
        }
        if (logged.Kind.HasValue())
        {
            entry = _values.FindOrAdd(key, out var added);
            CheckedChange.Put(stream, logged.Version, change, !added, entry.Value);
            entry.Stamp = logged.Time.UtcTicks;
        }
        else
        {
            _values.Remove(key);
        }
        return new KeyChange(logged.Version, logged.Time, logged.Kind, change.Header, change.Comm, key, old, lived, logged.Kind.HasValue() ? entry.Value.ToArray() : null, _map);
    }

    private void Open(MapOpened map)
    {
        _map = map;
        _values = new MapFold(map.Shape.KeySize, map.Shape.ValueBytes);
        _pattern = wanted?.Invoke(map);
    }
}
