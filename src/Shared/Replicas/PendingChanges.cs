using Maplog.Events;
using Maplog.Folding;

namespace Maplog.Replicas;

/// <summary>
/// Consecutive events of a stream that wait to be applied; several changes of a key are folded into the last one. Filled, applied,
/// cleared and filled again; in steady state it allocates nothing. Parts of a per-CPU value are written over the value that
/// waits, or over the value in the replica's map.
/// </summary>
public sealed class PendingChanges
{
    // Tags of the entries.
    internal const ushort Put = 0, Delete = 1, Held = 2, Had = 3;

    private const long MostKept = 64 << 20;

    private readonly StreamName _stream;
    private readonly byte[] _key;
    private readonly bool _isTrie;
    private readonly HeldValue? _held;

    /// <param name="stream">Named in errors.</param>
    /// <param name="shape">The shape of the map.</param>
    /// <param name="held">Reads a value of the replica's map; null: the map is empty.</param>
    public PendingChanges(StreamName stream, MapShape shape, HeldValue? held = null)
    {
        _stream = stream;
        _held = held;
        _key = new byte[shape.KeySize];
        _isTrie = LpmKey.Applies(shape);
        Shape = shape;
        Entries = new MapFold(shape.KeySize, shape.ValueBytes);
    }

    /// <summary>Reads what the replica's map holds.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">Takes the value, if there is one.</param>
    /// <returns>Whether the map has the key.</returns>
    public delegate bool HeldValue(ReadOnlySpan<byte> key, Span<byte> value);

    public MapShape Shape { get; }

    /// <summary>Events taken since the last <see cref="Clear"/>.</summary>
    public long Events { get; private set; }

    /// <summary>Keys that change.</summary>
    public int Count => Entries.Count;

    /// <summary>Bytes of the waiting keys and values.</summary>
    public long Bytes => (long)Entries.Count * (Shape.KeySize + Shape.ValueBytes);

    /// <summary>Whether the map begins again within these events: then they contain its whole content.</summary>
    public bool FromEmpty { get; private set; }

    /// <summary>
    /// The version up to which the map had everything; before it, only changes by other programs are corrected, and later changes are new
    /// to the map. Null: the map may lack anything.
    /// </summary>
    public StreamVersion? HadTo { get; set; }

    /// <summary>
    /// Whether parts came of a value that the map does not have, because somebody else removed it: the change was left out, and
    /// the map is to be repaired.
    /// </summary>
    public bool LacksValue { get; private set; }

    /// <summary>The last taken seal, if the map has not changed since: the content of the map at that version.</summary>
    public Sealed? Seal { get; private set; }

    /// <summary>The position of the replica after these changes.</summary>
    public Cursor End { get; private set; }

    /// <summary>Time of the last event.</summary>
    public DateTimeOffset Time { get; private set; }

    internal MapFold Entries { get; private set; }

    /// <summary>Takes the next event, as it is in the log.</summary>
    /// <returns>False, and nothing is taken: a map of another shape was opened, which a map of this shape cannot follow.</returns>
    /// <exception cref="FormatException">The event cannot belong to this map.</exception>
    public bool Take(in LoggedEvent next)
    {
        var end = new Cursor(EventEpoch.Of(next), next.Version);
        if (!next.Kind.IsChange())
            return TakeNote(end, next.Time, next.Kind, next.Data.Span);
        var change = CheckedChange.Read(_stream, next, Shape);
        if (change.HasParts)
            TakeParts(end, next.Time, change.Key, change.Parts);
        else
            TakeChange(end, next.Time, next.Kind, change.Key, change.Value);
        return true;
    }

    /// <summary>Takes the next event, a note.</summary>
    /// <inheritdoc cref="Take"/>
    public bool TakeNote(Cursor end, DateTimeOffset time, EventKind kind, ReadOnlySpan<byte> json)
    {
        if (kind == EventKind.MapOpened)
        {
            if (((MapOpened)NoteCodec.Read(kind, json)).Shape != Shape)
                return false;
            Empty();
        }
        if (kind is EventKind.Sealed or EventKind.MapOpened)
            Seal = kind == EventKind.Sealed && (Sealed)NoteCodec.Read(kind, json) is { Content: not null } seal ? seal : null;
        Took(end, time);
        return true;
    }

    /// <summary>Takes the next event, a change.</summary>
    /// <param name="end">Its epoch and version.</param>
    /// <param name="time">Its time.</param>
    /// <param name="kind">The kind of change.</param>
    /// <param name="key">With the map's key size.</param>
    /// <param name="value">With the map's value bytes; ignored for a delete or an eviction.</param>
    public void TakeChange(Cursor end, DateTimeOffset time, EventKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Seal = null;
        if (_isTrie)
        {
            key.CopyTo(_key);
            LpmKey.Normalise(_key);
            key = _key;
        }
        if (kind.HasValue())
        {
            var entry = Entries.FindOrAdd(key, out _);
            entry.Tag = HadTo is { } had && end.Version <= had ? Had : Put;
            value.CopyTo(entry.Value);
        }
        else if (FromEmpty)
        {
            Entries.Remove(key);
        }
        else
        {
            var entry = Entries.FindOrAdd(key, out _);
            entry.Tag = Delete;
        }
        Took(end, time);
    }

    /// <summary>Takes the next event, an update of some parts of a per-CPU value.</summary>
    /// <param name="end">Its epoch and version.</param>
    /// <param name="time">When it happened.</param>
    /// <param name="key">Of the map's key size.</param>
    /// <param name="parts">Parts that fit into the map's values.</param>
    /// <exception cref="FormatException">The events before it have no such entry.</exception>
    public void TakeParts(Cursor end, DateTimeOffset time, ReadOnlySpan<byte> key, in CpuParts parts)
    {
        Seal = null;
        var entry = Entries.FindOrAdd(key, out var added);
        if (!added && entry.Tag == Delete || added && FromEmpty)
            throw CheckedChange.Baseless(_stream, end.Version);
        if (added && _held?.Invoke(key, entry.Value) != true)
        {
            Entries.Remove(entry);
            LacksValue = true;
        }
        else
        {
            entry.Tag = HadTo is { } had && end.Version <= had ? Had : Put;
            parts.CopyTo(entry.Value);
        }
        Took(end, time);
    }

    /// <summary>Takes contiguous entries of a snapshot, after <see cref="Empty"/>.</summary>
    /// <param name="end">The snapshot's epoch and version.</param>
    /// <param name="time">Time of the event there.</param>
    /// <param name="keys">The keys.</param>
    /// <param name="values">The values.</param>
    /// <param name="count">How many.</param>
    public void TakeEntries(Cursor end, DateTimeOffset time, ReadOnlySpan<byte> keys, ReadOnlySpan<byte> values, int count)
    {
        Seal = null;
        // A snapshot does not say since when an entry exists.
        if (HadTo is { } had && end.Version > had)
            HadTo = null;
        Entries.Put(keys, values, count);
        for (var i = 0; i < count && HadTo is not null; i++)
        {
            if (Entries.TryFind(keys.Slice(i * Shape.KeySize, Shape.KeySize), out var entry))
                entry.Tag = Had;
        }
        Took(end, time);
    }

    /// <summary>The log has a seal at the version up to which everything is in the map.</summary>
    public void Rest(Sealed seal) => Seal = seal.Content is null ? null : seal;

    /// <summary>The earlier content of the map no longer counts.</summary>
    public void Empty()
    {
        Entries.Clear();
        FromEmpty = true;
    }

    public void Clear()
    {
        // A build may have needed memory for a whole map; batches do not keep it.
        if (Entries.Bytes > MostKept)
            Entries = new MapFold(Entries.KeySize, Entries.ValueSize);
        else
            Entries.Clear();
        FromEmpty = false;
        LacksValue = false;
        HadTo = null;
        Events = 0;
    }

    private void Took(Cursor end, DateTimeOffset time)
    {
        Events++;
        End = end;
        Time = time;
    }
}
