using System.Buffers.Binary;
using Maplog.Events;
using Maplog.Kernel;

namespace Maplog.Microbenchmarks;

/// <summary>Entries of 24-byte keys and 64-byte values, end to end.</summary>
internal sealed class Entries
{
    public const int KeySize = 24, ValueSize = 64, Count = 1024;

    public static StreamName Stream { get; } = StreamName.Parse("lb-1/ct_map");

    public byte[] Keys { get; } = new byte[Count * KeySize];

    public byte[] Values { get; } = new byte[Count * ValueSize];

    public Entries()
    {
        new Random(1).NextBytes(Values);
        for (var i = 0; i < Count; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(Keys.AsSpan(i * KeySize), 0x0a000000u | (uint)i);
            BinaryPrimitives.WriteUInt16BigEndian(Keys.AsSpan(i * KeySize + 16), (ushort)(i * 7));
        }
    }

    public static MapShape Shape { get; } = new((int)MapType.Hash, KeySize, ValueSize, Count * 2, 0, 0);

    public ReadOnlySpan<byte> Key(int index) => Keys.AsSpan(index * KeySize, KeySize);

    public ReadOnlySpan<byte> Value(int index) => Values.AsSpan(index * ValueSize, ValueSize);
}
