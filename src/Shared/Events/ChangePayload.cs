using System.Buffers.Binary;

namespace Maplog.Events;

/// <summary>
/// The binary payload of a change event, big-endian so that SQL can read it with encode and bit casts:
/// <code>
/// offset size
///      0    1  layout: 1, or 2 where parts follow the key
///      1    1  origin
///      2    2  cpu
///      4    4  tgid
///      8    4  epoch
///     12    4  record index
///     16    8  kernel time, ns since boot
///     24    8  ring position, or -1
///     32    4  key size K
///     36    1  comm size C, at most 15
///     37    C  comm, as the kernel has it
///   37+C    K  key
/// 37+C+K  rest layout 1: the value; none for a delete or an eviction
///              layout 2: the parts of a per-CPU value that changed, see <see cref="CpuParts"/>
/// </code>
/// Layout 2 is an update of an entry that the same life of the map has: what the value was, the events of the key before it say.
/// </summary>
public static class ChangePayload
{
    public const byte Layout = 1, PartsLayout = 2;
    public const int FixedSize = 37;
    public const int MaxComm = 15;

    public static int Size(int commSize, int keySize, int valueSize) => FixedSize + commSize + keySize + valueSize;

    /// <returns>The bytes written.</returns>
    public static int Write(Span<byte> target, in ChangeHeader header, ReadOnlySpan<byte> comm, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var at = WriteBegin(target, Layout, header, comm, key);
        value.CopyTo(target[at..]);
        return at + value.Length;
    }

    /// <summary>Writes an update of a per-CPU value that carries the parts alone in which the values differ.</summary>
    /// <param name="target">As large as <see cref="Size"/> says with <see cref="CpuParts.SizeOf"/> as the size of the value.</param>
    /// <param name="header">Who and when.</param>
    /// <param name="comm">The process's name.</param>
    /// <param name="key">Key bytes.</param>
    /// <param name="before">The whole value before.</param>
    /// <param name="after">The whole value after.</param>
    /// <param name="partSize">Bytes of one CPU's value, rounded up to 8.</param>
    public static void WriteParts(
        Span<byte> target, in ChangeHeader header, ReadOnlySpan<byte> comm, ReadOnlySpan<byte> key, ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, int partSize)
    {
        var at = WriteBegin(target, PartsLayout, header, comm, key);
        CpuParts.Write(target[at..], before, after, partSize);
    }

    private static int WriteBegin(Span<byte> target, byte layout, in ChangeHeader header, ReadOnlySpan<byte> comm, ReadOnlySpan<byte> key)
    {
        target[0] = layout;
        target[1] = (byte)header.Origin;
        BinaryPrimitives.WriteUInt16BigEndian(target[2..], header.Cpu);
        BinaryPrimitives.WriteUInt32BigEndian(target[4..], header.Tgid);
        BinaryPrimitives.WriteInt32BigEndian(target[8..], header.Epoch.Value);
        BinaryPrimitives.WriteUInt32BigEndian(target[12..], header.RecordIndex);
        BinaryPrimitives.WriteInt64BigEndian(target[16..], header.KernelTime);
        BinaryPrimitives.WriteInt64BigEndian(target[24..], header.RingPosition);
        BinaryPrimitives.WriteInt32BigEndian(target[32..], key.Length);
        target[36] = (byte)comm.Length;
        comm.CopyTo(target[FixedSize..]);
        var at = FixedSize + comm.Length;
        key.CopyTo(target[at..]);
        return at + key.Length;
    }

    /// <summary>The header alone, from the first <see cref="FixedSize"/> bytes of a payload or all of it.</summary>
    /// <exception cref="FormatException">The bytes do not begin a payload of a layout that is known.</exception>
    public static ChangeHeader ReadHeader(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < FixedSize || payload[0] is not (Layout or PartsLayout))
            throw Unreadable(payload);
        return new ChangeView(payload[..FixedSize], 0, 0).Header;
    }

    /// <exception cref="FormatException">The bytes are not a payload of a layout that is known.</exception>
    public static ChangeView Read(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < FixedSize || payload[0] is not (Layout or PartsLayout))
            throw Unreadable(payload);
        var keySize = BinaryPrimitives.ReadInt32BigEndian(payload[32..]);
        int commSize = payload[36];
        if (keySize < 0 || commSize > MaxComm || FixedSize + commSize + (long)keySize > payload.Length)
            throw new FormatException($"A change payload of {payload.Length} bytes names a key of {keySize} bytes and a comm of {commSize}: it is damaged.");
        var change = new ChangeView(payload, commSize, keySize);
        if (change.HasParts && !CpuParts.TryRead(change.Rest, out _))
            throw new FormatException($"A change payload of {payload.Length} bytes has {change.Rest.Length} bytes after its key that are not the parts of a per-CPU value: it is damaged.");
        return change;
    }

    private static FormatException Unreadable(ReadOnlySpan<byte> payload) =>
        new($"A change payload of {payload.Length} bytes begins with layout {(payload.IsEmpty ? -1 : payload[0])}; this version of maplog reads layouts {Layout} and {PartsLayout}.");
}
