using System.Buffers.Binary;

namespace Maplog.Events;

/// <summary>
/// The binary payload of a change event, big-endian so that SQL can read it with encode and bit casts:
/// <code>
/// offset size
///      0    1  layout, 1
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
/// 37+C+K  rest value; none for a delete or an eviction
/// </code>
/// </summary>
public static class ChangePayload
{
    public const byte Layout = 1;
    public const int FixedSize = 37;
    public const int MaxComm = 15;

    public static int Size(int commSize, int keySize, int valueSize) => FixedSize + commSize + keySize + valueSize;

    /// <returns>The bytes written.</returns>
    public static int Write(Span<byte> target, in ChangeHeader header, ReadOnlySpan<byte> comm, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        target[0] = Layout;
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
        value.CopyTo(target[(at + key.Length)..]);
        return at + key.Length + value.Length;
    }

    /// <summary>The header alone, from the first <see cref="FixedSize"/> bytes of a payload or all of it.</summary>
    /// <exception cref="FormatException">The bytes do not begin a payload of this layout.</exception>
    public static ChangeHeader ReadHeader(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < FixedSize || payload[0] != Layout)
            throw Unreadable(payload);
        return new ChangeView(payload[..FixedSize], 0, 0).Header;
    }

    /// <exception cref="FormatException">The bytes are not a payload of this layout.</exception>
    public static ChangeView Read(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < FixedSize || payload[0] != Layout)
            throw Unreadable(payload);
        var keySize = BinaryPrimitives.ReadInt32BigEndian(payload[32..]);
        int commSize = payload[36];
        if (keySize < 0 || commSize > MaxComm || FixedSize + commSize + (long)keySize > payload.Length)
            throw new FormatException($"A change payload of {payload.Length} bytes names a key of {keySize} bytes and a comm of {commSize}: it is damaged.");
        return new ChangeView(payload, commSize, keySize);
    }

    private static FormatException Unreadable(ReadOnlySpan<byte> payload) =>
        new($"A change payload of {payload.Length} bytes begins with layout {(payload.IsEmpty ? -1 : payload[0])}; this version of maplog reads layout {Layout}.");
}
