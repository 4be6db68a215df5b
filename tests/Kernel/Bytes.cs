using System.Buffers.Binary;

namespace Maplog.Tests.Kernel;

/// <summary>Keys and values of tests.</summary>
public static class Bytes
{
    /// <summary><paramref name="size"/> bytes that begin with the number and differ from each other.</summary>
    public static byte[] Of(int number, int size = 4)
    {
        var bytes = new byte[size];
        for (int i = 0; i < size; i++)
            bytes[i] = (byte)(number * 31 + i);
        if (size >= 4)
            BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        return bytes;
    }

    /// <summary>Several of them end to end.</summary>
    public static byte[] Of(IEnumerable<int> numbers, int size = 4) => [.. numbers.SelectMany(n => Of(n, size))];

    public static int Number(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt32LittleEndian(bytes);

    /// <summary>A prefix of an LPM trie with 32 bits of data.</summary>
    public static byte[] Prefix(int bits, params ReadOnlySpan<byte> address)
    {
        var key = new byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(key, bits);
        address.CopyTo(key.AsSpan(4));
        return key;
    }
}
