using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Maplog.Folding;

/// <summary>
/// A folded-multiply hash of a key's bytes (the construction of wyhash). Keys of a connection table are chosen by
/// strangers, so tables use a seed drawn at process start; digests that two processes compare use a fixed one.
/// </summary>
internal static class KeyHash
{
    private const ulong S0 = 0xa0761d6478bd642f, S1 = 0xe7037ed1a0b428db, S2 = 0x8ebc6af09c88c6e3;

    /// <summary>Different in every process.</summary>
    public static ulong ProcessSeed { get; } = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8));

    public static ulong Of(ReadOnlySpan<byte> bytes, ulong seed)
    {
        var length = bytes.Length;
        var hash = seed ^ S0;
        while (bytes.Length > 16)
        {
            hash = Fold(U64(bytes) ^ S1, U64(bytes[8..]) ^ hash);
            bytes = bytes[16..];
        }
        ulong a, b;
        if (bytes.Length >= 8)
            (a, b) = (U64(bytes), U64(bytes[^8..]));
        else if (bytes.Length >= 4)
            (a, b) = (U32(bytes), U32(bytes[^4..]));
        else if (bytes.Length > 0)
            (a, b) = ((ulong)bytes[0] << 16 | (ulong)bytes[bytes.Length / 2] << 8 | bytes[^1], 0);
        else
            (a, b) = (0, 0);
        return Fold(S2 ^ (ulong)length, Fold(a ^ S1, b ^ hash));
    }

    private static ulong Fold(ulong a, ulong b)
    {
        var high = Math.BigMul(a, b, out ulong low);
        return high ^ low;
    }

    private static ulong U64(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt64LittleEndian(bytes);

    private static ulong U32(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);
}
