using System.Buffers.Binary;
using Maplog.Events;

namespace Maplog.Folding;

/// <summary>
/// Keys of a longest-prefix trie: a prefix length in bits (u32, this machine's byte order), then the address. The kernel
/// takes two keys for the same one when prefix length and the bits within it agree, and keeps the later one's other bits;
/// a fold compares bytes. So folds hold such keys with the bits beyond the prefix cleared.
/// </summary>
public static class LpmKey
{
    /// <summary>BPF_MAP_TYPE_LPM_TRIE.</summary>
    public const int MapType = 11;

    public static bool Applies(MapShape shape) => shape.Type == MapType;

    /// <summary>Clears, in place, the bits that do not count.</summary>
    public static void Normalise(Span<byte> key)
    {
        var prefix = BitConverter.IsLittleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(key) : BinaryPrimitives.ReadUInt32BigEndian(key);
        var address = key[sizeof(uint)..];
        if (prefix >= (uint)address.Length * 8)
            return;
        var whole = (int)(prefix / 8);
        address[whole] &= (byte)(0xff00 >> (int)(prefix % 8));
        address[(whole + 1)..].Clear();
    }
}
