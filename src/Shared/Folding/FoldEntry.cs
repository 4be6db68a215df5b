using System.Buffers.Binary;

namespace Maplog.Folding;

/// <summary>An entry of a <see cref="MapFold"/>, read and written in place. Valid until an entry is added to or removed from the fold.</summary>
public readonly ref struct FoldEntry
{
    /// <summary>Bytes an entry has beside key and value: stamp and tag.</summary>
    internal const int Extra = 10;

    private readonly Span<byte> _record;
    private readonly int _keySize;

    internal FoldEntry(Span<byte> record, int keySize, int slot)
    {
        _record = record;
        _keySize = keySize;
        Slot = slot;
    }

    internal int Slot { get; }

    public ReadOnlySpan<byte> Key => _record[.._keySize];

    /// <summary>Write here to change the value; zeros in an entry just added.</summary>
    public Span<byte> Value => _record[_keySize..^Extra];

    /// <summary>The caller's own, 0 in an entry just added. In the fold of a stream: kernel time of the last change, ns since boot.</summary>
    public long Stamp
    {
        get => BinaryPrimitives.ReadInt64LittleEndian(_record[^Extra..]);
        set => BinaryPrimitives.WriteInt64LittleEndian(_record[^Extra..], value);
    }

    /// <summary>The caller's own, 0 in an entry just added. In the fold of a stream: the cpu of the last change.</summary>
    public ushort Tag
    {
        get => BinaryPrimitives.ReadUInt16LittleEndian(_record[^2..]);
        set => BinaryPrimitives.WriteUInt16LittleEndian(_record[^2..], value);
    }
}
