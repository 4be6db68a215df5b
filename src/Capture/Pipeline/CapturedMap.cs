using Maplog.Btf;
using Maplog.Events;
using Maplog.Folding;
using Maplog.Hooking;
using Maplog.Kernel;

namespace Maplog.Capture.Pipeline;

/// <summary>
/// One life of a watched kernel map: takes its records, keeps its fold, and settles what the records leave open. What
/// happens is told to the sink as events.
/// </summary>
internal sealed class CapturedMap
{
    /// <summary>Two changes of a key on different CPUs closer than this (ns) may have been recorded in the other order.</summary>
    private const long Close = 1_000_000;

    private readonly EventSink _sink;
    private readonly RecentDeletes _deleted;
    private readonly byte[] _normalKey;
    private readonly byte[] _value;
    private byte[] _written = [];
    private readonly MapInspector _inspector;
    private readonly PartsRule _parts;
    // An array's entries are there from the beginning, as zeros: they are updated, never added.
    private readonly bool _isPerCpu, _isLpm, _isArray;

    public CapturedMap(CapturedStream stream, uint id, string name, MapShape shape, KnownContent content, int slot, EventSink sink)
    {
        (Stream, Id, Name, Shape, Content, Slot, _sink) = (stream, id, name, shape, content, slot, sink);
        _deleted = new RecentDeletes(shape.KeySize);
        _isPerCpu = shape.PossibleCpus > 0;
        _isLpm = LpmKey.Applies(shape);
        _isArray = (MapType)shape.Type is MapType.Array or MapType.PerCpuArray;
        _normalKey = new byte[_isLpm ? shape.KeySize : 0];
        _value = new byte[_isPerCpu ? shape.ValueBytes : 0];
        _inspector = new MapInspector(this);
        _parts = new PartsRule(shape);
        (stream.Counters.Room, stream.Counters.Entries) = (shape.MaxEntries, Entries);
    }

    public CapturedStream Stream { get; }

    public uint Id { get; }

    public string Name { get; }

    public MapShape Shape { get; }

    /// <summary>The map's content as the log has it. Tags: cpu of the last change, and the scan's mark in the highest bit.</summary>
    public KnownContent Content { get; }

    private MapFold Entries => Content.Entries;

    /// <summary>Where the hook counts what it could not record.</summary>
    public int Slot { get; }

    /// <summary>The bytes of a value that the kernel owns, which count as zeros here; null: none.</summary>
    public KernelBytes? KernelBytes { get; init; }

    /// <summary>The bytes of a value whose change alone is no change; null: none.</summary>
    public VolatileBytes? VolatileBytes { get; init; }

    /// <summary>The bits of a value that count when a walk compares it with what it saw before.</summary>
    public byte[] CountedBits()
    {
        var bits = new byte[Shape.ValueSize];
        Array.Fill(bits, (byte)0xff);
        KernelBytes?.Clear(bits);
        VolatileBytes?.Clear(bits);
        return bits;
    }

    /// <summary>Whether the log has a note that the map is frozen.</summary>
    public bool IsFrozen { get; set; }

    public MapInspector Inspector => _inspector;

    /// <summary>When the map is looked at; null: nobody has planned it yet.</summary>
    public WalkedMap? Walked { get; set; }

    public EventSink Sink => _sink;

    /// <summary>Takes a ring record of this map.</summary>
    public void Take(in RingRecord record)
    {
        var data = record.Data;
        ref readonly var header = ref RecordHeader.Of(data);
        var comm = RecordHeader.CommOf(data);
        var keys = data.Slice(RecordHeader.Size, (int)(header.Count * header.KeySize));
        var values = data.Slice(RecordHeader.Size + keys.Length, (int)(header.Count * header.ValueSize));
        if (header.KeySize != (uint)Shape.KeySize || header.ValueSize != 0 && header.ValueSize != (uint)Shape.ValueBytes && (header.Flags & (RecordFlags.OneCpu | RecordFlags.AllCpus)) == 0)
            throw new InvalidDataException($"A ring record of map {Name} (id {Id}) has keys of {header.KeySize} and values of {header.ValueSize} bytes, but the map has {Shape.KeySize} and {Shape.ValueBytes}: the hook and this daemon do not match; run `maplog detach` and start the daemon again.");
        var isDone = (header.Flags & RecordFlags.Unsure) == 0 || IsInMap(header, keys, values);
        for (var i = 0; i < (int)header.Count; i++)
        {
            if (Stream.IsLogged((long)record.Position, (uint)i))
                continue;
            var key = keys.Slice(i * Shape.KeySize, Shape.KeySize);
            var value = header.ValueSize == 0 ? default : Written(values.Slice(i * (int)header.ValueSize, (int)header.ValueSize));
            if (!isDone)
            {
                _inspector.LookAgain(Normal(key), KernelClock.Now);
                continue;
            }
            var change = new ChangeHeader
            {
                Origin = (Origin)header.Origin,
                Cpu = (ushort)header.Cpu,
                Tgid = header.Tgid,
                Epoch = _sink.Epoch,
                KernelTime = (long)header.Time,
                RingPosition = (long)record.Position,
                RecordIndex = (uint)i,
            };
            if (header.Operation == RecordOperation.Update)
                Updated(change, comm, key, value, header);
            else
                Removed(header.Operation == RecordOperation.Evict ? EventKind.EntryEvicted : EventKind.EntryDeleted, change, comm, key);
        }
    }

    /// <summary>Compares what the map held with the fold and logs the differences.</summary>
    /// <param name="seen">What was read.</param>
    /// <param name="mark">The mark of the scan that read it; null: single keys were read.</param>
    public void Judge(Inspection seen, ushort? mark)
    {
        for (var i = 0; i < seen.Count; i++)
        {
            var key = seen.Key(i);
            KernelBytes?.Clear(seen.Value(i));
            if (seen.Present[i])
                JudgePresent(seen, key, seen.Value(i), mark, seen.IsWalked[i] ? Origin.InPlace : seen.Origin);
            else
                JudgeAbsent(seen, key);
        }
    }

    /// <summary>Compares an entry that a walk found with the fold and logs a difference.</summary>
    /// <returns>False: the stream told of a later change than what the walk found, so the entry is to be looked at again.</returns>
    public bool JudgeWalked(Inspection seen, int index)
    {
        KernelBytes?.Clear(seen.Value(index));
        // The kernel fills an element before the element is in its bucket. bpf(2) must confirm a key that the log does not have.
        if (!_isArray && !Entries.TryFind(Normal(seen.Key(index)), out _))
        {
            _inspector.LookAgain(Normal(seen.Key(index)), KernelClock.Now, isWalked: true);
            return true;
        }
        return JudgePresent(seen, seen.Key(index), seen.Value(index), mark: null, seen.Origin);
    }

    /// <summary>After a whole scan: entries that no scan has seen, and that did not change since it began, are gone.</summary>
    public void JudgeUnseen(long scanBegan, ushort mark)
    {
        if (_isArray)
            return;
        foreach (var entry in Entries)
        {
            if ((entry.Tag & MapInspector.Mark) != mark && entry.Stamp < scanBegan)
                Correct(EventKind.EntryDeleted, Origin.Scan, scanBegan, entry.Key, default, entry);
        }
    }

    /// <summary>Takes back what a scan has marked that was given up.</summary>
    public void MarkAll(ushort mark)
    {
        foreach (var entry in Entries)
            entry.Tag = (ushort)(entry.Tag & ~MapInspector.Mark | mark);
    }

    /// <summary>The key as the fold has it.</summary>
    public ReadOnlySpan<byte> Normal(ReadOnlySpan<byte> key)
    {
        if (!_isLpm)
            return key;
        key.CopyTo(_normalKey);
        LpmKey.Normalise(_normalKey);
        return _normalKey;
    }

    // Of a batch that failed the kernel says how many were done, unless it refused the whole call: then it says nothing, and
    // the record holds what was asked for. If the first and the last of them are in the map, it was done.
    private bool IsInMap(in RecordHeader header, ReadOnlySpan<byte> keys, ReadOnlySpan<byte> values)
    {
        if (header.Count == 0)
            return false;
        var last = (int)header.Count - 1;
        return _inspector.Holds(keys[..Shape.KeySize], header.ValueSize == 0 ? default : Written(values[..(int)header.ValueSize]))
            && _inspector.Holds(keys[(last * Shape.KeySize)..], header.ValueSize == 0 ? default : Written(values[(last * (int)header.ValueSize)..]));
    }

    // What an update has written, of what its caller had in the value.
    private ReadOnlySpan<byte> Written(ReadOnlySpan<byte> value)
    {
        if (KernelBytes is null)
            return value;
        if (_written.Length < value.Length)
            _written = new byte[value.Length];
        var written = _written.AsSpan(0, value.Length);
        value.CopyTo(written);
        KernelBytes.Clear(written);
        return written;
    }

    private void Updated(in ChangeHeader change, ReadOnlySpan<byte> comm, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, in RecordHeader header)
    {
        var entry = Entries.FindOrAdd(Normal(key), out var added);
        if (added ? _deleted.TryFind(Normal(key), out var deleted) && IsAmbiguous(deleted.Stamp, deleted.Tag, change) : IsAmbiguous(entry.Stamp, entry.Tag, change))
            _inspector.LookAgain(Normal(key), change.KernelTime);
        if (_isPerCpu && header.Flags != RecordFlags.None)
            value = Patch(entry.Value, value, header.Flags, (int)header.ValueCpu);
        if (added)
            entry.Tag = _inspector.CurrentMark;
        var kind = added && !_isArray ? EventKind.EntryAdded : EventKind.EntryUpdated;
        _sink.Change(Stream, kind, change, comm, key, value, Before(entry, isKnown: !added), Shape.PartSize);
        Content.Put(entry, value);
        Touch(entry, change.KernelTime, change.Cpu);
    }

    private void Removed(EventKind kind, in ChangeHeader change, ReadOnlySpan<byte> comm, ReadOnlySpan<byte> key)
    {
        if (Entries.TryFind(Normal(key), out var entry))
        {
            if (IsAmbiguous(entry.Stamp, entry.Tag, change))
                _inspector.LookAgain(Normal(key), change.KernelTime);
            Content.Remove(entry);
        }
        _deleted.Add(Normal(key), change.KernelTime, change.Cpu, _inspector.IsReading || Walked is { IsActive: true });
        _sink.Change(Stream, kind, change, comm, key, default);
    }

    // The mark is that of a scan. False: the stream knows better.
    private bool JudgePresent(Inspection seen, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ushort? mark, Origin origin)
    {
        var found = Entries.TryFind(Normal(key), out var entry);
        if (found)
        {
            var isSame = seen.IsWhole ? Content.HoldsWhole(entry, value) : Content.Holds(entry, value);
            if (mark is { } scanned)
                entry.Tag = (ushort)(entry.Tag & ~MapInspector.Mark | scanned);
            if (isSame || entry.Stamp >= seen.ReadAt)
                return isSame;
        }
        else if (_deleted.TryFind(Normal(key), out var deleted) && deleted.Stamp >= seen.ReadAt)
        {
            return false;
        }
        else if (_isArray && value.IndexOfAnyExcept((byte)0) < 0)
        {
            return true;
        }
        else
        {
            entry = Entries.FindOrAdd(Normal(key), out _);
            entry.Tag = mark ?? _inspector.CurrentMark;
        }
        var isUpdate = found || _isArray;
        // An entry that was made unseen was not made through a pointer, and what differs after a loss may be what was lost.
        if (origin == Origin.InPlace && (!isUpdate || _inspector.IsScanning))
            origin = Origin.Scan;
        Correct(isUpdate ? EventKind.EntryUpdated : EventKind.EntryAdded, origin, seen.ReadUntil, key, value, entry, Before(entry, found));
        Content.Put(entry, value);
        return true;
    }

    private void JudgeAbsent(Inspection seen, ReadOnlySpan<byte> key)
    {
        if (Entries.TryFind(Normal(key), out var entry) && entry.Stamp < seen.ReadAt)
            Correct(EventKind.EntryDeleted, seen.Origin, seen.ReadAt, key, default, entry);
    }

    private void Correct(EventKind kind, Origin origin, long at, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, FoldEntry entry, ReadOnlySpan<byte> before = default)
    {
        entry.Stamp = at;
        var change = new ChangeHeader { Origin = origin, Epoch = _sink.Epoch, KernelTime = at, RingPosition = -1 };
        _sink.Change(Stream, kind, change, default, key, value, before, Shape.PartSize);
        if (kind == EventKind.EntryDeleted)
            Content.Remove(entry);
    }

    // The value before an update that may carry parts; empty where it may not.
    private ReadOnlySpan<byte> Before(FoldEntry entry, bool isKnown) =>
        isKnown && _parts.Allows(entry.Key, Stream.Head.Next, entry.Stamp, Stream.WholeBefore) ? entry.Value : default;

    private static bool IsAmbiguous(long stamp, ushort tag, in ChangeHeader change) =>
        (tag & ~MapInspector.Mark) != (change.Cpu & ~MapInspector.Mark) && change.KernelTime - stamp < Close;

    private static void Touch(FoldEntry entry, long kernelTime, ushort cpu)
    {
        entry.Stamp = Math.Max(kernelTime, entry.Stamp);
        entry.Tag = (ushort)(entry.Tag & MapInspector.Mark | cpu & ~MapInspector.Mark);
    }

    // A program's update of a per-CPU map is of its own CPU's value; a new entry's others are zero.
    private ReadOnlySpan<byte> Patch(ReadOnlySpan<byte> before, ReadOnlySpan<byte> value, RecordFlags flags, int valueCpu)
    {
        var stride = Shape.PartSize;
        before.CopyTo(_value);
        if ((flags & RecordFlags.OneCpu) != 0)
            value.CopyTo(_value.AsSpan(valueCpu * stride));
        for (var cpu = 0; cpu < Shape.PossibleCpus && (flags & RecordFlags.AllCpus) != 0; cpu++)
            value.CopyTo(_value.AsSpan(cpu * stride));
        return _value;
    }
}
