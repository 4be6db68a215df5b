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

    private byte[] _entry = [];
    private UInt128 _sum;

    /// <summary>Entries that count.</summary>
    public long Entries { get; private set; }

    /// <summary>The digest of a fold.</summary>
    public static ContentDigest Of(MapFold fold, MapShape shape)
    {
        var digest = ForFolded(shape);
        foreach (var entry in fold)
            digest.Add(entry.Key, entry.Value);
        return digest;
    }

    public static ContentDigest For(MapShape shape) => new(IsArray(shape), LpmKey.Applies(shape));

    /// <summary>Of a map whose keys are as a fold has them: those of a trie without the bits beyond the prefix.</summary>
    public static ContentDigest ForFolded(MapShape shape) => new(IsArray(shape), isTrie: false);

    public void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => Add(Of(key, value));

    /// <summary>Adds an entry by what <see cref="Of(ReadOnlySpan{byte}, ReadOnlySpan{byte})"/> said of it.</summary>
    public void Add(UInt128 entry)
    {
        if (entry == UInt128.Zero)
            return;
        Entries++;
        _sum += entry;
    }

    /// <summary>Takes an entry back that was added.</summary>
    public void Remove(UInt128 entry)
    {
        if (entry == UInt128.Zero)
            return;
        Entries--;
        _sum -= entry;
    }

    /// <summary>The hash of one entry; 0 if it does not count.</summary>
    public UInt128 Of(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (isArray && !value.ContainsAnyExcept((byte)0))
            return UInt128.Zero;
        // End to end and at once: fed in two pieces the hash takes a third longer (tests/Microbenchmarks, Digest).
        if (_entry.Length != key.Length + value.Length)
            _entry = new byte[key.Length + value.Length];
        key.CopyTo(_entry);
        value.CopyTo(_entry.AsSpan(key.Length));
        if (isTrie)
            LpmKey.Normalise(_entry.AsSpan(0, key.Length));
        return XxHash128.HashToUInt128(_entry);
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
