using Maplog.Events;
using Maplog.Folding;

namespace Maplog.Replicas;

/// <summary>
/// Consecutive events of a stream that wait to be applied, several changes of a key folded to the last. Filled, applied,
/// cleared and filled again; in steady state it allocates nothing.
/// </summary>
public sealed class PendingChanges
{
    // Tags of the entries.
    internal const ushort Put = 0, Delete = 1, Held = 2;

    private readonly StreamName _stream;
    private readonly byte[] _key;
    private readonly bool _isTrie;

    /// <param name="stream">Named in errors.</param>
    /// <param name="shape">The map's.</param>
    public PendingChanges(StreamName stream, MapShape shape)
    {
        _stream = stream;
        _key = new byte[shape.KeySize];
        _isTrie = LpmKey.Applies(shape);
        Shape = shape;
        Entries = new MapFold(shape.KeySize, shape.ValueBytes);
    }

    public MapShape Shape { get; }

    /// <summary>Events taken since the last <see cref="Clear"/>.</summary>
    public long Events { get; private set; }

    /// <summary>Keys that change.</summary>
    public int Count => Entries.Count;

    /// <summary>Whether the map was begun anew on the way: what it then has is in here, and nothing else.</summary>
    public bool FromEmpty { get; private set; }

    /// <summary>Where the replica is when this has been applied.</summary>
    public Cursor End { get; private set; }

    /// <summary>Time of the last event.</summary>
    public DateTimeOffset Time { get; private set; }

    internal MapFold Entries { get; }

    /// <summary>Takes the next event.</summary>
    /// <returns>False, and nothing is taken: a map of another shape was opened, no map of this shape can follow it.</returns>
    /// <exception cref="FormatException">The event cannot be one of this map.</exception>
    public bool Take(in LoggedEvent next)
    {
        var epoch = EventEpoch.Of(next);
        if (next.Kind.IsChange())
            Change(next);
        else if (next.Kind == EventKind.MapOpened)
        {
            if (((MapOpened)NoteCodec.Read(EventKind.MapOpened, next.Data.Span)).Shape != Shape)
                return false;
            Empty();
        }
        Events++;
        End = new Cursor(epoch, next.Version);
        Time = next.Time;
        return true;
    }

    /// <summary>What was in the map before is over.</summary>
    public void Empty()
    {
        Entries.Clear();
        FromEmpty = true;
    }

    public void Clear()
    {
        Entries.Clear();
        FromEmpty = false;
        Events = 0;
    }

    private void Change(in LoggedEvent next)
    {
        var change = CheckedChange.Read(_stream, next, Shape);
        var key = change.Key;
        if (_isTrie)
        {
            key.CopyTo(_key);
            LpmKey.Normalise(_key);
            key = _key;
        }
        if (!next.Kind.HasValue() && FromEmpty)
        {
            Entries.Remove(key);
            return;
        }
        var entry = Entries.FindOrAdd(key, out _);
        entry.Tag = next.Kind.HasValue() ? Put : Delete;
        if (next.Kind.HasValue())
            change.Value.CopyTo(entry.Value);
    }
}
