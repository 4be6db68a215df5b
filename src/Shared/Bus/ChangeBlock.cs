using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Maplog.Events;

namespace Maplog.Bus;

/// <summary>A block of consecutive events of one stream, checked whole and read in place. <see cref="BlockLayout"/> has the layout.</summary>
public sealed class ChangeBlock
{
    private readonly int _eventsBegin;
    private readonly int _eventsEnd;

    private ChangeBlock(ReadOnlyMemory<byte> bytes, StreamName stream, DateTimeOffset newest, int eventsBegin)
    {
        var header = bytes.Span;
        Bytes = bytes;
        Stream = stream;
        NewestTime = newest;
        Epoch = new Epoch(BinaryPrimitives.ReadInt32LittleEndian(header[4..]));
        First = new StreamVersion(BinaryPrimitives.ReadInt64LittleEndian(header[8..]));
        Count = BinaryPrimitives.ReadInt32LittleEndian(header[16..]);
        KeySize = BinaryPrimitives.ReadInt32LittleEndian(header[20..]);
        ValueSize = BinaryPrimitives.ReadInt32LittleEndian(header[24..]);
        _eventsBegin = eventsBegin;
        _eventsEnd = bytes.Length - Crc32C.Size;
    }

    /// <summary>The block as it came.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    public StreamName Stream { get; }

    /// <summary>The term in which the events were logged.</summary>
    public Epoch Epoch { get; }

    public StreamVersion First { get; }

    public StreamVersion Last => First + (Count - 1);

    /// <summary>Events in the block, at least 1.</summary>
    public int Count { get; }

    /// <summary>Bytes of every key.</summary>
    public int KeySize { get; }

    /// <summary>Bytes of every value, as bpf(2) has it.</summary>
    public int ValueSize { get; }

    /// <summary>When the newest event happened.</summary>
    public DateTimeOffset NewestTime { get; }

    /// <summary>Reads a block and checks all of it, so that going through its events cannot fail.</summary>
    /// <param name="bytes">The block, from its begin to its end. It reads in it and does not copy it.</param>
    /// <param name="block">The block, or null.</param>
    /// <param name="error">Null, or a sentence that says what is wrong with it.</param>
    public static bool TryRead(ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out ChangeBlock? block, [NotNullWhen(false)] out string? error)
    {
        block = null;
        error = Check(bytes.Span, out var stream, out var newest, out var eventsBegin);
        if (error is not null)
            return false;
        block = new ChangeBlock(bytes, stream, newest, eventsBegin);
        return true;
    }

    public ChangeBlockEnumerator GetEnumerator() =>
        new(Bytes.Span[_eventsBegin.._eventsEnd], First, Count, KeySize, ValueSize);

    private static string? Check(ReadOnlySpan<byte> bytes, out StreamName stream, out DateTimeOffset newest, out int eventsBegin)
    {
        (stream, newest, eventsBegin) = (default, default, 0);
        if (bytes.Length < BlockLayout.FixedSize + Crc32C.Size)
            return $"The message has {bytes.Length} bytes, too few for a block of events: it is not a block, or it was truncated.";
        if (!bytes.StartsWith(BlockLayout.Magic))
            return $"The message of {bytes.Length} bytes is not a block of events: it begins with {Convert.ToHexString(bytes[..3])}, not with {Convert.ToHexString(BlockLayout.Magic)}.";
        if (bytes[3] is not (BlockLayout.Layout or BlockLayout.PartsLayout))
            return $"The block of events has layout {bytes[3]}, and this version of maplog reads layouts {BlockLayout.Layout} and {BlockLayout.PartsLayout}: another version wrote it, or it is damaged.";
        if (!Crc32C.Holds(bytes))
            return $"The block of events of {bytes.Length} bytes does not match its checksum: it is damaged.";
        var first = BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]);
        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]);
        var keySize = BinaryPrimitives.ReadInt32LittleEndian(bytes[20..]);
        var valueSize = BinaryPrimitives.ReadInt32LittleEndian(bytes[24..]);
        var eventsSize = BinaryPrimitives.ReadInt32LittleEndian(bytes[36..]);
        eventsBegin = BlockLayout.FixedSize + bytes[40];
        if (first < 1 || count < 1 || first > long.MaxValue - count || keySize < 0 || valueSize < 0
            || eventsBegin + (long)eventsSize + Crc32C.Size != bytes.Length
            || !Microseconds.TryRead(BinaryPrimitives.ReadInt64LittleEndian(bytes[28..]), out newest))
            return $"The block of events of {bytes.Length} bytes contradicts itself: {count} events of {eventsSize} bytes from version {first} on, with keys of {keySize} and values of {valueSize} bytes.";
        var name = Encoding.UTF8.GetString(bytes[BlockLayout.FixedSize..eventsBegin]);
        try
        {
            stream = StreamName.Parse(name);
        }
        catch (FormatException e)
        {
            return $"The block of events names no stream: {e.Message}";
        }
        return CheckEvents(bytes.Slice(eventsBegin, eventsSize), stream, first, count, keySize, valueSize);
    }

    private static bool IsKnown(byte kind) =>
        (kind & BlockLayout.PartsFlag) != 0 ? (kind & ~BlockLayout.PartsFlag) == (byte)EventKind.EntryUpdated : kind != 0 && Enum.IsDefined((EventKind)kind);

    private static string? CheckEvents(ReadOnlySpan<byte> events, StreamName stream, long first, int count, int keySize, int valueSize)
    {
        for (var i = 0; i < count; i++)
        {
            if (!events.IsEmpty && !IsKnown(events[0]))
                return $"The block of {stream} has an event of kind {events[0]} at version {first + i}, which this version of maplog does not know: a newer version wrote it.";
            var size = ChangeBlockEnumerator.SizeOfNext(events, keySize, valueSize);
            if (size == 0)
                return $"The block of {stream} ends within version {first + i}, {i} events after its beginning, but announces {count}: it is damaged.";
            events = events[size..];
        }
        return events.IsEmpty ? null : $"The block of {stream} from version {first} on has {events.Length} bytes more than its {count} events: it is damaged.";
    }
}
