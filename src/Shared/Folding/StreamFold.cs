using Maplog.Events;

namespace Maplog.Folding;

/// <summary>
/// What a stream's events come to: the content of its map, entry by entry, at <see cref="Version"/>. A map opened empties
/// it, changes put and remove, all other notes leave it. Entries carry kernel time and cpu of their last change.
/// </summary>
/// <param name="stream">Which stream.</param>
/// <param name="after">
/// The version before the first event that will be applied. Where it is not 0, the first must be a map opened, before which
/// nothing counts: what came earlier need not be read.
/// </param>
public sealed class StreamFold(StreamName stream, StreamVersion after = default)
{
    private byte[] _key = [];

    public StreamName Stream { get; } = stream;

    /// <summary>The map's content; empty, and of no size, until a map was opened.</summary>
    public MapFold Entries { get; private set; } = new(1, 0);

    /// <summary>The map's present life, or null before the first.</summary>
    public MapOpened? Generation { get; private set; }

    public MapShape? Shape => Generation?.Shape;

    /// <summary>Whether the kernel map lives, as far as the log knows.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Version of the last event applied.</summary>
    public StreamVersion Version { get; private set; } = after;

    /// <summary>Epoch of the last event applied.</summary>
    public Epoch Epoch { get; private set; }

    /// <summary>Time of the last event applied.</summary>
    public DateTimeOffset Time { get; private set; }

    /// <summary>Begins with what a snapshot says; its entries are then put into <see cref="Entries"/>.</summary>
    /// <param name="map">The map's life.</param>
    /// <param name="version">The snapshot's version.</param>
    /// <param name="epoch">Epoch of the event at that version.</param>
    /// <param name="time">Time of that event.</param>
    /// <param name="isOpen">Whether the kernel map lived.</param>
    public void Begin(MapOpened map, StreamVersion version, Epoch epoch, DateTimeOffset time, bool isOpen)
    {
        Open(map);
        (Version, Epoch, Time, IsOpen) = (version, epoch, time, isOpen);
    }

    /// <summary>Applies the event that follows <see cref="Version"/>; an earlier one is ignored.</summary>
    /// <returns>Whether it was applied.</returns>
    /// <exception cref="FormatException">A version is missing before this one, or the event cannot belong to this map.</exception>
    public bool Apply(in LoggedEvent next)
    {
        if (next.Version <= Version)
            return false;
        if (next.Version != Version.Next)
            throw new FormatException($"Stream {Stream} goes from version {Version} to {next.Version}: read the versions in between from the log.");
        if (next.Kind.IsChange())
            Change(next);
        else
            Note(next);
        Version = next.Version;
        Time = next.Time;
        return true;
    }

    private void Change(in LoggedEvent next)
    {
        var change = CheckedChange.Read(Stream, next, Shape);
        var header = change.Header;
        var key = KeyOf(change);
        if (next.Kind.HasValue())
        {
            var entry = Entries.FindOrAdd(key, out var added);
            CheckedChange.Put(Stream, next.Version, change, !added, entry.Value);
            entry.Stamp = header.KernelTime;
            entry.Tag = header.Cpu;
        }
        else
        {
            Entries.Remove(key);
        }
        Epoch = header.Epoch;
    }

    private void Note(in LoggedEvent next)
    {
        Epoch = EventEpoch.Of(next);
        if (next.Kind == EventKind.MapClosed)
            IsOpen = false;
        if (next.Kind == EventKind.MapMoved && Generation is not null)
        {
            var before = Generation;
            Generation = ((MapMoved)NoteCodec.Read(next.Kind, next.Data.Span)).Of(before);
            IsOpen = true;
            // Another kernel's clock and CPUs.
            for (var all = Entries.GetEnumerator(); (Generation.MapId, Generation.BootId) != (before.MapId, before.BootId) && all.MoveNext();)
            {
                var entry = all.Current;
                (entry.Stamp, entry.Tag) = (0, 0);
            }
        }
        if (next.Kind != EventKind.MapOpened)
            return;
        Open((MapOpened)NoteCodec.Read(EventKind.MapOpened, next.Data.Span));
    }

    private void Open(MapOpened map)
    {
        Generation = map;
        IsOpen = true;
        var shape = map.Shape;
        if (Entries.KeySize == shape.KeySize && Entries.ValueSize == shape.ValueBytes)
            Entries.Clear();
        else
            Entries = new MapFold(shape.KeySize, shape.ValueBytes);
        _key = LpmKey.Applies(shape) ? new byte[shape.KeySize] : [];
    }

    private ReadOnlySpan<byte> KeyOf(in ChangeView change)
    {
        if (_key.Length == 0)
            return change.Key;
        change.Key.CopyTo(_key);
        LpmKey.Normalise(_key);
        return _key;
    }
}
