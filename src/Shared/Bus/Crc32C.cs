using System.Buffers.Binary;
using System.Numerics;

namespace Maplog.Bus;

/// <summary>CRC-32C (Castagnoli), by the processor's own instruction where it has one. Finds every change of up to 32 bits in a row.</summary>
internal static class Crc32C
{
    public const int Size = 4;

    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        for (; bytes.Length >= 8; bytes = bytes[8..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (var b in bytes)
            crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }

    /// <summary>Writes the checksum of all but the last four bytes into these.</summary>
    public static void Seal(Span<byte> message) =>
        BinaryPrimitives.WriteUInt32LittleEndian(message[^Size..], Of(message[..^Size]));

    /// <summary>Whether the last four bytes are the checksum of all before them.</summary>
    public static bool Holds(ReadOnlySpan<byte> message) =>
        message.Length >= Size && BinaryPrimitives.ReadUInt32LittleEndian(message[^Size..]) == Of(message[..^Size]);
}
