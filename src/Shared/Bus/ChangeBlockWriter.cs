using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Maplog.Events;

namespace Maplog.Bus;

/// <summary>
/// Writes blocks of consecutive events of one stream, one block after the other into the same pooled buffer. Not thread-safe.
/// All entries of a block have one shape: begin a new block where a map is opened.
/// </summary>
public sealed class ChangeBlockWriter : IDisposable
{
    private byte[] _buffer;
    private int _used;
    private int _eventsBegin;
    private bool _open;
    private bool _hasParts;

    /// <param name="capacity">Bytes of the first buffer; it grows by itself.</param>
    public ChangeBlockWriter(int capacity = 128 * 1024) => _buffer = ArrayPool<byte>.Shared.Rent(capacity);

    /// <summary>Events in the block so far.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of the block so far, its checksum included.</summary>
    public int Size => _used + Crc32C.Size;

    /// <summary>Key size of the block, bytes.</summary>
    public int KeySize { get; private set; }

    /// <summary>Value size of the block as bpf(2) has it, bytes.</summary>
    public int ValueSize { get; private set; }

    public StreamName Stream { get; private set; }

    public void Begin(StreamName stream, Epoch epoch, StreamVersion first, MapShape shape) =>
        Begin(stream, epoch, first, shape.KeySize, shape.ValueBytes);

    /// <summary>Begins a block; one that was begun before and not finished is dropped.</summary>
    /// <param name="stream">Whose events.</param>
    /// <param name="epoch">The term in which they were logged.</param>
    /// <param name="first">Version of the first event that will be added.</param>
    /// <param name="keySize">Bytes of a key.</param>
    /// <param name="valueSize">Bytes of a value as bpf(2) has it.</param>
    public void Begin(StreamName stream, Epoch epoch, StreamVersion first, int keySize, int valueSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(first, new StreamVersion(1));
        ArgumentOutOfRangeException.ThrowIfNegative(keySize);
        ArgumentOutOfRangeException.ThrowIfNegative(valueSize);
        ObjectDisposedException.ThrowIf(_buffer.Length == 0, this);
        (Stream, KeySize, ValueSize, Count, _used, _open, _hasParts) = (stream, keySize, valueSize, 0, 0, true, false);
        var header = Room(BlockLayout.FixedSize + BlockLayout.MaxNameSize);
        BlockLayout.Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], epoch.Value);
        BinaryPrimitives.WriteInt64LittleEndian(header[8..], first.Value);
        BinaryPrimitives.WriteInt32LittleEndian(header[20..], keySize);
        BinaryPrimitives.WriteInt32LittleEndian(header[24..], valueSize);
        var name = Encoding.UTF8.GetBytes(stream.ToString(), header[BlockLayout.FixedSize..]);
        header[40] = (byte)name;
        _used = _eventsBegin = BlockLayout.FixedSize + name;
    }

    /// <param name="kind">What happened to the entry.</param>
    /// <param name="key">As many bytes as the block's key size.</param>
    /// <param name="value">As many bytes as the block's value size; none for a delete or an eviction.</param>
    /// <exception cref="ArgumentException">The entry has another shape than the block.</exception>
    public void AddChange(EventKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        MustBeOpen();
        if (!kind.IsChange())
            throw new ArgumentException($"{kind} is not a change of an entry: add it to the block of {Stream} as a note.", nameof(kind));
        var valueSize = kind.HasValue() ? ValueSize : 0;
        if (key.Length != KeySize || value.Length != valueSize)
            throw new ArgumentException($"A block of {Stream} has keys of {KeySize} bytes and, for {kind}, values of {valueSize}; this change has {key.Length} and {value.Length}. Begin a new block where the map's shape changes.", nameof(key));
        var target = Room(1 + key.Length + value.Length);
        target[0] = (byte)kind;
        key.CopyTo(target[1..]);
        value.CopyTo(target[(1 + key.Length)..]);
        _used += 1 + key.Length + value.Length;
        Count++;
    }

    /// <summary>Adds a change as the log has it.</summary>
    /// <param name="kind">What happened to the entry.</param>
    /// <param name="change">Its payload.</param>
    /// <exception cref="ArgumentException">The entry has another shape than the block.</exception>
    public void AddChange(EventKind kind, in ChangeView change)
    {
        if (!change.HasParts)
        {
            AddChange(kind, change.Key, change.Value);
            return;
        }
        MustBeOpen();
        var parts = change.Parts.Bytes;
        if (kind != EventKind.EntryUpdated || change.Key.Length != KeySize || !change.Parts.Fit(ValueSize))
            throw new ArgumentException($"A block of {Stream} has keys of {KeySize} bytes and values of {ValueSize}; this {kind} has a key of {change.Key.Length} and parts that do not fit. Begin a new block where the map's shape changes.", nameof(change));
        var target = Room(1 + KeySize + BlockLayout.MaxNoteSize(parts.Length));
        target[0] = (byte)((byte)kind | BlockLayout.PartsFlag);
        change.Key.CopyTo(target[1..]);
        var begin = 1 + KeySize + BlockLayout.WriteLength(target[(1 + KeySize)..], parts.Length);
        parts.CopyTo(target[begin..]);
        _used += begin + parts.Length;
        _hasParts = true;
        Count++;
    }

    /// <summary>Adds any event that is not a change of an entry.</summary>
    /// <param name="kind">What it says.</param>
    /// <param name="json">The event as the log has it, UTF-8.</param>
    public void AddNote(EventKind kind, ReadOnlySpan<byte> json)
    {
        MustBeOpen();
        if (kind.IsChange() || kind == EventKind.None || !Enum.IsDefined(kind))
            throw new ArgumentException($"{kind} cannot be added to the block of {Stream} as a note.", nameof(kind));
        var target = Room(BlockLayout.MaxNoteSize(json.Length));
        target[0] = (byte)kind;
        var length = BlockLayout.WriteLength(target[1..], json.Length);
        json.CopyTo(target[(1 + length)..]);
        _used += 1 + length + json.Length;
        Count++;
    }

    /// <summary>Adds one event as the log holds it; its version must be the next one.</summary>
    /// <exception cref="ArgumentException">Another version was due, or the entry has another shape than the block.</exception>
    public void Add(in LoggedEvent logged)
    {
        MustBeOpen();
        var due = BinaryPrimitives.ReadInt64LittleEndian(_buffer.AsSpan(8)) + Count;
        if (logged.Version.Value != due)
            throw new ArgumentException($"The versions of a block are consecutive: {Stream} is due at version {due}, not at {logged.Version}.", nameof(logged));
        if (!logged.Kind.IsChange())
        {
            AddNote(logged.Kind, logged.Data.Span);
            return;
        }
        var change = ChangePayload.Read(logged.Data.Span);
        AddChange(logged.Kind, change);
    }

    /// <summary>Ends the block.</summary>
    /// <param name="newest">When its newest event happened; kept to the microsecond.</param>
    /// <returns>The block's bytes; valid until the next block is begun.</returns>
    public ReadOnlyMemory<byte> Finish(DateTimeOffset newest)
    {
        MustBeOpen();
        if (Count == 0)
            throw new InvalidOperationException($"A block of {Stream} is finished without an event: there is nothing to send.");
        _ = Room(Crc32C.Size);
        _buffer[3] = _hasParts ? BlockLayout.PartsLayout : BlockLayout.Layout;
        BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(16), Count);
        BinaryPrimitives.WriteInt64LittleEndian(_buffer.AsSpan(28), Microseconds.Of(newest));
        BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(36), _used - _eventsBegin);
        _used += Crc32C.Size;
        Crc32C.Seal(_buffer.AsSpan(0, _used));
        _open = false;
        return _buffer.AsMemory(0, _used);
    }

    public void Dispose()
    {
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _open = false;
    }

    private Span<byte> Room(int size)
    {
        if (_buffer.Length - _used < size)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(checked(_used + size), (int)Math.Min(Array.MaxLength, 2L * _buffer.Length)));
            _buffer.AsSpan(0, _used).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
        return _buffer.AsSpan(_used);
    }

    private void MustBeOpen()
    {
        if (!_open)
            throw new InvalidOperationException("No block has been begun: call Begin first.");
    }
}
