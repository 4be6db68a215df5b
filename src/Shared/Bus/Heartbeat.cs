using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Maplog.Events;

namespace Maplog.Bus;

/// <summary>
/// Where a stream's head is, sent every second, so that a replica knows that it has missed something although nothing comes. On the
/// wire, little-endian: "mlh" (3), layout 1 (1), epoch (4), head version (8), head time in µs since 1970 UTC (8), size of the stream's name (1), the name, CRC-32C (4).
/// </summary>
/// <param name="Stream">Whose head.</param>
/// <param name="Epoch">The writer's term.</param>
/// <param name="Head">Greatest version in the log; <see cref="StreamVersion.None"/> for an empty stream.</param>
/// <param name="HeadTime">When that event happened; kept to the microsecond.</param>
public sealed record Heartbeat(StreamName Stream, Epoch Epoch, StreamVersion Head, DateTimeOffset HeadTime)
{
    private const byte Layout = 1;
    private const int FixedSize = 25;

    internal static ReadOnlySpan<byte> Magic => "mlh"u8;

    public byte[] ToBytes()
    {
        var name = Stream.ToString();
        var size = Encoding.UTF8.GetByteCount(name);
        var bytes = new byte[FixedSize + size + Crc32C.Size];
        Magic.CopyTo(bytes);
        bytes[3] = Layout;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), Epoch.Value);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8), Head.Value);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(16), Microseconds.Of(HeadTime));
        bytes[FixedSize - 1] = (byte)size;
        Encoding.UTF8.GetBytes(name, bytes.AsSpan(FixedSize));
        Crc32C.Seal(bytes);
        return bytes;
    }

    /// <summary>Bytes of the heartbeat that begins here, as it says itself; 0: that is cut off.</summary>
    internal static int SizeOf(ReadOnlySpan<byte> begin) => begin.Length < FixedSize ? 0 : FixedSize + begin[FixedSize - 1] + Crc32C.Size;

    /// <param name="bytes">The heartbeat, from its begin to its end.</param>
    /// <param name="beat">The heartbeat, or null.</param>
    /// <param name="error">Null, or a sentence that says what is wrong with it.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out Heartbeat? beat, [NotNullWhen(false)] out string? error)
    {
        (beat, error) = (null, null);
        if (bytes.Length < FixedSize || !bytes.StartsWith(Magic) || SizeOf(bytes) != bytes.Length)
            error = $"The message of {bytes.Length} bytes is not a heartbeat.";
        else if (bytes[3] != Layout)
            error = $"The heartbeat has layout {bytes[3]}, and this version of maplog reads layout {Layout}: another version wrote it, or it is damaged.";
        else if (!Crc32C.Holds(bytes))
            error = "The heartbeat does not match its checksum: it is damaged.";
        else if (!Microseconds.TryRead(BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]), out var time))
            error = "The heartbeat names an impossible time: it is damaged.";
        else
        {
            try
            {
                beat = new Heartbeat(
                    StreamName.Parse(Encoding.UTF8.GetString(bytes[FixedSize..^Crc32C.Size])),
                    new Epoch(BinaryPrimitives.ReadInt32LittleEndian(bytes[4..])),
                    new StreamVersion(BinaryPrimitives.ReadInt64LittleEndian(bytes[8..])),
                    time);
            }
            catch (FormatException e)
            {
                error = $"The heartbeat names no stream: {e.Message}";
            }
        }
        return beat is not null;
    }
}
