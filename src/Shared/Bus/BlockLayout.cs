using System.Buffers.Binary;
using Maplog.Events;

namespace Maplog.Bus;

/// <summary>
/// A block of events on the bus: consecutive versions of one stream. A message is blocks and heartbeats, one after the other. Numbers are little-endian.
/// <code>
/// offset size
///      0    3  "mlb"
///      3    1  layout: 2 if a change of the block has parts, else 1
///      4    4  epoch
///      8    8  version of the first event
///     16    4  count of events
///     20    4  key size K, bytes
///     24    4  value size V as bpf(2) has it, bytes
///     28    8  time of the newest event, µs since 1970 UTC
///     36    4  bytes of all events together
///     40    1  size N of the stream's name
///     41    N  stream's name, UTF-8
///              events, one after the other:
///                added, updated:   kind (1), key (K), value (V)
///                deleted, evicted: kind (1), key (K)
///                updated in parts: kind + 128 (1), key (K), size as LEB128, parts as <see cref="CpuParts"/> has them
///                any other:        kind (1), size as LEB128, JSON
///   last    4  CRC-32C of everything before
/// </code>
/// A change of this layout gets a new layout number; a reader refuses what it does not know and takes the range from the log.
/// </summary>
internal static class BlockLayout
{
    public const byte Layout = 1, PartsLayout = 2;
    public const byte PartsFlag = 0x80;
    public const int FixedSize = 41;
    public const int MaxNameSize = byte.MaxValue;

    private const int LengthSize = 5; // LEB128 of an int, at most

    public static ReadOnlySpan<byte> Magic => "mlb"u8;

    public static int ChangeSize(EventKind kind, int keySize, int valueSize) => 1 + keySize + (kind.HasValue() ? valueSize : 0);

    /// <summary>Bytes of the block that begins here, as it says itself; 0: that is cut off.</summary>
    public static long SizeOf(ReadOnlySpan<byte> begin) =>
        begin.Length < FixedSize ? 0 : FixedSize + begin[40] + (long)BinaryPrimitives.ReadInt32LittleEndian(begin[36..]) + Crc32C.Size;

    public static int MaxNoteSize(int jsonSize) => 1 + LengthSize + jsonSize;

    /// <returns>The bytes written.</returns>
    public static int WriteLength(Span<byte> target, int length)
    {
        var at = 0;
        for (var rest = (uint)length; ; rest >>= 7)
        {
            if (rest < 0x80)
            {
                target[at++] = (byte)rest;
                return at;
            }
            target[at++] = (byte)(rest | 0x80);
        }
    }

    /// <returns>The bytes read, or 0 if no length of ours begins here.</returns>
    public static int ReadLength(ReadOnlySpan<byte> source, out int length)
    {
        length = 0;
        ulong value = 0;
        for (var at = 0; at < Math.Min(source.Length, LengthSize); at++)
        {
            value |= (ulong)(source[at] & 0x7f) << (7 * at);
            if (source[at] < 0x80)
            {
                length = (int)value;
                return value <= int.MaxValue ? at + 1 : 0;
            }
        }
        return 0;
    }
}
