using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using Maplog.Events;

namespace Maplog.Btf;

/// <summary>
/// Keys of a longest-prefix trie as networks: <c>10.0.0.0/8</c>. Such a key is a prefix length in bits, then the bytes that the kernel
/// matches from the first one on: that an address of 4 or 16 bytes is one of IPv4 or IPv6 is likely, and its byte order is certain.
/// </summary>
public static class LpmPrefix
{
    /// <summary>BPF_MAP_TYPE_LPM_TRIE.</summary>
    private const int Trie = 11;

    private const int LengthSize = sizeof(uint);

    /// <summary>Whether keys of this map are shown as networks: their address has the size of one, and is not described as several fields.</summary>
    public static bool Applies(MapShape shape, FieldType? key) =>
        shape.Type == Trie && shape.KeySize - LengthSize is 4 or 16
        && (key is null || key.Fields is [{ At: 0, Size: LengthSize }, { At: LengthSize } address] && address.Size == shape.KeySize - LengthSize
            && address.Kind is not (FieldKind.Struct or FieldKind.Text or FieldKind.Enumeration));

    /// <summary>The network without the bits beyond the prefix, which the kernel keeps and does not compare.</summary>
    /// <param name="key">A key of a map to which this applies.</param>
    public static string Text(ReadOnlySpan<byte> key)
    {
        var address = key[LengthSize..].ToArray();
        var bits = BinaryPrimitives.ReadUInt32LittleEndian(key);
        Clear(address, (int)Math.Min(bits, (uint)address.Length * 8));
        return $"{new IPAddress(address)}/{bits}";
    }

    /// <returns>Null: the text is no network of this size. The bits beyond the prefix are cleared, as the kernel leaves them out.</returns>
    public static byte[]? Parse(string text, int keySize)
    {
        if (text.Split('/') is not [var address, var length] || ParseAddress(address, keySize) is not { } key
            || !uint.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var bits) || bits > (keySize - LengthSize) * 8)
            return null;
        BinaryPrimitives.WriteUInt32LittleEndian(key, bits);
        Clear(key.AsSpan(LengthSize), (int)bits);
        return key;
    }

    private static void Clear(Span<byte> address, int from)
    {
        for (var bit = from; bit < address.Length * 8; bit++)
            address[bit / 8] &= (byte)~(0x80 >> bit % 8);
    }

    /// <summary>The key of one address, with all of its bits.</summary>
    /// <returns>Null: the text is no address of this size.</returns>
    public static byte[]? ParseAddress(string text, int keySize)
    {
        var size = keySize - LengthSize;
        // Without the check '10.1' would be 10.0.0.1.
        var isWhole = text.Contains(':', StringComparison.Ordinal) || text.Count(c => c == '.') == 3;
        if (!isWhole || !IPAddress.TryParse(text, out var address) || address.GetAddressBytes() is not { } bytes || bytes.Length != size)
            return null;
        var key = new byte[keySize];
        BinaryPrimitives.WriteUInt32LittleEndian(key, (uint)size * 8);
        bytes.CopyTo(key, LengthSize);
        return key;
    }

    /// <summary>Whether a network has an address: both are keys, the address with all of its bits.</summary>
    public static bool Contains(ReadOnlySpan<byte> network, ReadOnlySpan<byte> address)
    {
        var bits = (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(network), (uint)(network.Length - LengthSize) * 8);
        var (whole, rest) = (bits / 8, bits % 8);
        return network.Slice(LengthSize, whole).SequenceEqual(address.Slice(LengthSize, whole))
            && (rest == 0 || (network[LengthSize + whole] ^ address[LengthSize + whole]) >> 8 - rest == 0);
    }
}
