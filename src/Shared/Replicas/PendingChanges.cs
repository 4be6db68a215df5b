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
    internal const ushort Put = 0, Delete = 1, Held = 2, Had = 3;

    private const long MostKept = 64 << 20;

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

    /// <summary>Bytes of the keys and values that wait.</summary>
    public long Bytes => (long)Entries.Count * (Shape.KeySize + Shape.ValueBytes);

    /// <summary>Whether the map was begun anew on the way: what it then has is in here, and nothing else.</summary>
    public bool FromEmpty { get; private set; }

    /// <summary>
    /// The version up to which the map had all of this, and only what somebody else did to it is to be put right; what came
    /// later is new to it. Null: it may lack anything.
    /// </summary>
    public StreamVersion? HadTo { get; set; }

    /// <summary>The last seal taken, if the map has not changed since: what it then holds.</summary>
    public Sealed? Seal { get; private set; }

    /// <summary>Where the replica is when this has been applied.</summary>
    public Cursor End { get; private set; }

    /// <summary>Time of the last event.</summary>
    public DateTimeOffset Time { get; private set; }

    internal MapFold Entries { get; private set; }

    /// <summary>Takes the next event, as the log has it.</summary>
    /// <returns>False, and nothing is taken: a map of another shape was opened, no map of this shape can follow it.</returns>
    /// <exception cref="FormatException">The event cannot be one of this map.</exception>
    public bool Take(in LoggedEvent next)
    {
        var end = new Cursor(EventEpoch.Of(next), next.Version);
        if (!next.Kind.IsChange())
            return TakeNote(end, next.Time, next.Kind, next.Data.Span);
        var change = CheckedChange.Read(_stream, next, Shape);
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
    /// <param name="time">When it happened.</param>
    /// <param name="kind">What happened to the entry.</param>
    /// <param name="key">Of the map's key size.</param>
    /// <param name="value">Of the map's value bytes; ignored for a delete or an eviction.</param>
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

    /// <summary>Takes entries of a snapshot, end to end, after <see cref="Empty"/>.</summary>
    /// <param name="end">The snapshot's epoch and version.</param>
    /// <param name="time">Time of the event there.</param>
    /// <param name="keys">The keys.</param>
    /// <param name="values">The values.</param>
    /// <param name="count">How many.</param>
    public void TakeEntries(Cursor end, DateTimeOffset time, ReadOnlySpan<byte> keys, ReadOnlySpan<byte> values, int count)
    {
        Seal = null;
        // A snapshot says of no entry since when it is there.
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

    /// <summary>What was in the map before is over.</summary>
    public void Empty()
    {
        Entries.Clear();
        FromEmpty = true;
    }

    public void Clear()
    {
        // The memory of a whole map, taken while a replica was built, is not kept for batches.
        if (Entries.Bytes > MostKept)
            Entries = new MapFold(Entries.KeySize, Entries.ValueSize);
        else
            Entries.Clear();
        FromEmpty = false;
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
