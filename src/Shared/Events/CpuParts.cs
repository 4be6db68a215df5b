using System.Buffers.Binary;

namespace Maplog.Events;

/// <summary>
/// The parts of a per-CPU value that a change has written: the values of some CPUs, in the order of the CPUs. Big-endian:
/// <code>
/// offset size
///      0    2  part size S: the value of one CPU, rounded up to 8 bytes
///              parts, one after the other: CPU (2), its value (S)
/// </code>
/// A change that has written the bytes that were there has no part.
/// </summary>
public readonly ref struct CpuParts
{
    private const int HeaderSize = 2, NumberSize = 2;

    private CpuParts(ReadOnlySpan<byte> bytes, int partSize)
    {
        Bytes = bytes;
        PartSize = partSize;
    }

    /// <summary>The parts as they were written.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Bytes of one CPU's value, rounded up to 8.</summary>
    public int PartSize { get; }

    public int Count => (Bytes.Length - HeaderSize) / (NumberSize + PartSize);

    /// <returns>False: the bytes are no parts, they are damaged.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out CpuParts parts)
    {
        var partSize = bytes.Length < HeaderSize ? 0 : BinaryPrimitives.ReadUInt16BigEndian(bytes);
        parts = new CpuParts(bytes, partSize);
        return partSize > 0 && (bytes.Length - HeaderSize) % (NumberSize + partSize) == 0;
    }

    /// <summary>Bytes that the parts take in which two values differ.</summary>
    /// <param name="before">All CPUs' values before the change.</param>
    /// <param name="after">All CPUs' values after it.</param>
    /// <param name="partSize">Bytes of one CPU's value, rounded up to 8.</param>
    /// <returns>
    /// Null: the whole value is to be told. Parts save less than a third then, and a whole value is read without the events before it.
    /// </returns>
    public static int? SizeOf(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, int partSize)
    {
        if (before.Length != after.Length || partSize > ushort.MaxValue)
            return null;
        var size = HeaderSize;
        for (var at = 0; at < after.Length; at += partSize)
            size += before.Slice(at, partSize).SequenceEqual(after.Slice(at, partSize)) ? 0 : NumberSize + partSize;
        return size * 3L <= after.Length * 2L ? size : null;
    }

    /// <summary>Writes the parts in which two values differ into as many bytes as <see cref="SizeOf"/> says.</summary>
    public static void Write(Span<byte> target, ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, int partSize)
    {
        BinaryPrimitives.WriteUInt16BigEndian(target, (ushort)partSize);
        target = target[HeaderSize..];
        for (var at = 0; at < after.Length; at += partSize)
        {
            var part = after.Slice(at, partSize);
            if (before.Slice(at, partSize).SequenceEqual(part))
                continue;
            BinaryPrimitives.WriteUInt16BigEndian(target, (ushort)(at / partSize));
            part.CopyTo(target[NumberSize..]);
            target = target[(NumberSize + partSize)..];
        }
    }

    /// <summary>Whether a value of so many bytes has all of these parts.</summary>
    public bool Fit(int valueBytes)
    {
        if (valueBytes % PartSize != 0)
            return false;
        for (var i = 0; i < Count; i++)
        {
            if (CpuOf(i) >= valueBytes / PartSize)
                return false;
        }
        return true;
    }

    /// <summary>Writes the parts into the whole value that was there before the change; they must fit.</summary>
    public void CopyTo(Span<byte> value)
    {
        for (var i = 0; i < Count; i++)
            Bytes.Slice(PlaceOf(i) + NumberSize, PartSize).CopyTo(value.Slice(CpuOf(i) * PartSize, PartSize));
    }

    private int CpuOf(int index) => BinaryPrimitives.ReadUInt16BigEndian(Bytes[PlaceOf(index)..]);

    private int PlaceOf(int index) => HeaderSize + index * (NumberSize + PartSize);
}
