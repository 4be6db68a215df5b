using System.Buffers.Binary;
using System.IO.Hashing;
using Maplog.Events;

namespace Maplog.Folding;

/// <summary>
/// What tells one content of a map from another, whatever the order of its entries: the sum, modulo 2^128, of the XXH128 hashes
/// of its entries, key and value end to end. Entries of an array that are zeros do not count, for they are there without ever
/// having been written; of a trie's keys the bits beyond the prefix are zero.
/// </summary>
/// <param name="isArray">Whether the map is an array.</param>
/// <param name="isTrie">Whether it is a trie.</param>
public struct ContentDigest(bool isArray, bool isTrie)
{
    public const int Size = 16;

    private const int MostOnStack = 512;

    private readonly XxHash128 _hash = new();
    private UInt128 _sum;

    /// <summary>Entries that count.</summary>
    public long Entries { get; private set; }

    /// <summary>The digest of a fold.</summary>
    public static ContentDigest Of(MapFold fold, MapShape shape)
    {
        var digest = new ContentDigest(IsArray(shape), isTrie: false); // its keys are as they should be
        foreach (var entry in fold)
            digest.Add(entry.Key, entry.Value);
        return digest;
    }

    public static ContentDigest For(MapShape shape) => new(IsArray(shape), LpmKey.Applies(shape));

    public void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (isArray && !value.ContainsAnyExcept((byte)0))
            return;
        Entries++;
        if (isTrie)
        {
            Span<byte> normal = key.Length <= MostOnStack ? stackalloc byte[key.Length] : new byte[key.Length];
            key.CopyTo(normal);
            LpmKey.Normalise(normal);
            _hash.Append(normal);
        }
        else
        {
            _hash.Append(key);
        }
        _hash.Append(value);
        Span<byte> bytes = stackalloc byte[Size];
        _hash.GetHashAndReset(bytes);
        _sum += BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    /// <summary>The sum, big-endian.</summary>
    public readonly byte[] ToBytes()
    {
        var bytes = new byte[Size];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, _sum);
        return bytes;
    }

    // BPF_MAP_TYPE_ARRAY and BPF_MAP_TYPE_PERCPU_ARRAY.
    private static bool IsArray(MapShape shape) => shape.Type is 2 or 6;
}
