using Maplog.Events;

namespace Maplog.Bus;

/// <summary>Goes through the events of a block without allocating.</summary>
public ref struct ChangeBlockEnumerator
{
    private readonly int _keySize;
    private readonly int _valueSize;
    private ReadOnlySpan<byte> _rest;
    private StreamVersion _next;
    private int _left;

    internal ChangeBlockEnumerator(ReadOnlySpan<byte> events, StreamVersion first, int count, int keySize, int valueSize)
    {
        _rest = events;
        _next = first;
        _left = count;
        _keySize = keySize;
        _valueSize = valueSize;
    }

    public BlockEvent Current { get; private set; }

    public bool MoveNext()
    {
        if (_left == 0)
            return false;
        var size = SizeOfNext(_rest, _keySize, _valueSize);
        var kind = (EventKind)(_rest[0] & ~BlockLayout.PartsFlag);
        if ((_rest[0] & BlockLayout.PartsFlag) != 0)
        {
            _ = BlockLayout.ReadLength(_rest[(1 + _keySize)..], out var partsSize);
            _ = CpuParts.TryRead(_rest[(size - partsSize)..size], out var parts);
            Current = new BlockEvent(_next, kind, _rest.Slice(1, _keySize), default, default, parts);
        }
        else if (kind.IsChange())
        {
            Current = new BlockEvent(_next, kind, _rest.Slice(1, _keySize), _rest[(1 + _keySize)..size], default);
        }
        else
        {
            _ = BlockLayout.ReadLength(_rest[1..], out var jsonSize);
            Current = new BlockEvent(_next, kind, default, default, _rest[(size - jsonSize)..size]);
        }
        _rest = _rest[size..];
        _next = _next.Next;
        _left--;
        return true;
    }

    /// <returns>Bytes of the event that begins here, or 0 if it does not fit.</returns>
    internal static int SizeOfNext(ReadOnlySpan<byte> events, int keySize, int valueSize)
    {
        if (events.IsEmpty)
            return 0;
        if ((events[0] & BlockLayout.PartsFlag) != 0)
            return SizeOfParts(events, keySize, valueSize);
        var kind = (EventKind)events[0];
        if (kind.IsChange())
        {
            var wanted = 1 + (long)keySize + (kind.HasValue() ? valueSize : 0);
            return wanted <= events.Length ? (int)wanted : 0;
        }
        var length = BlockLayout.ReadLength(events[1..], out var jsonSize);
        return length > 0 && 1 + length + (long)jsonSize <= events.Length ? 1 + length + jsonSize : 0;
    }

    private static int SizeOfParts(ReadOnlySpan<byte> events, int keySize, int valueSize)
    {
        if (events.Length <= 1 + (long)keySize)
            return 0;
        var begin = 1 + keySize;
        begin += BlockLayout.ReadLength(events[begin..], out var size);
        return begin > 1 + keySize && begin + (long)size <= events.Length && CpuParts.TryRead(events.Slice(begin, size), out var parts) && parts.Fit(valueSize)
            ? begin + size
            : 0;
    }
}
