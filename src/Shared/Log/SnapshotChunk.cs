namespace Maplog.Log;

/// <summary>Some entries of a snapshot, verified. Used again for a later one: take what is needed before asking for the next.</summary>
public sealed class SnapshotChunk
{
    private byte[] _data = [];
    private int _keyBytes;

    public int Count { get; private set; }

    /// <summary>The keys, end to end.</summary>
    public ReadOnlySpan<byte> Keys => _data.AsSpan(0, _keyBytes);

    /// <summary>The values, end to end.</summary>
    public ReadOnlySpan<byte> Values => _data.AsSpan(_keyBytes, Size - _keyBytes);

    internal int Size { get; private set; }

    internal Memory<byte> Take(int size)
    {
        if (_data.Length < size)
            _data = GC.AllocateUninitializedArray<byte>(size);
        Size = size;
        return _data.AsMemory(0, size);
    }

    internal void Set(int count, int keySize) => (Count, _keyBytes) = (count, count * keySize);
}
