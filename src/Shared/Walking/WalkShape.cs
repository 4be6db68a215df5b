using System.Runtime.InteropServices;
using Maplog.Kernel;

namespace Maplog.Walking;

/// <summary>struct walk_shape of bpf/walk.h: the constants of a walk over maps of one shape.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct WalkShape
{
    /// <summary>WALK_MAX_WORDS.</summary>
    public const int MaxWords = 512;

    private const int Word = sizeof(ulong);

    /// <summary>The digests of more entries would take more than half a GiB of the kernel's memory.</summary>
    private const uint MaxEntries = 1 << 26;

    public uint HasCast;
    public uint IsHash;
    public uint IsLru;
    public uint Unused;
    public uint ElementSize;
    public uint Elements;
    public uint KeyWords;
    public uint ValueWords;
    public uint ValueAt;
    public uint Room;
    public ulong KeyMask;
    public fixed ulong ValueMask[MaxWords];

    /// <summary>Words of an entry in walk_found: its element, its key, its value.</summary>
    public readonly int WordsOfEntry => 1 + (int)(KeyWords + ValueWords);

    /// <summary>The constants for a map.</summary>
    /// <param name="map">A map of a kind for which <see cref="CanBe"/> holds.</param>
    /// <param name="elementSize">Bytes from one element to the next.</param>
    /// <param name="counted">The bits of the value that count; null: all.</param>
    /// <param name="hasCast">Whether the kernel has bpf_rdonly_cast().</param>
    /// <param name="room">Entries that one walk may report before the daemon has taken them.</param>
    public static WalkShape Of(MapInfo map, uint elementSize, byte[]? counted, bool hasCast, int room)
    {
        var isHash = map.Type != MapType.Array;
        var shape = new WalkShape
        {
            HasCast = hasCast ? 1u : 0,
            IsHash = isHash ? 1u : 0,
            IsLru = map.Type == MapType.LruHash ? 1u : 0,
            ElementSize = elementSize,
            Elements = ElementsOf(map),
            // An array's key is the number of its element.
            KeyWords = isHash ? Words(map.KeySize) : 0,
            ValueWords = Words(map.ValueSize),
            Room = (uint)room,
            KeyMask = map.KeySize % Word == 0 ? ulong.MaxValue : (1UL << map.KeySize % Word * 8) - 1,
        };
        shape.ValueAt = shape.KeyWords * Word;
        var mask = new byte[shape.ValueWords * Word];
        if (counted is null)
            mask.AsSpan(0, map.ValueSize).Fill(0xff);
        else
            counted.CopyTo(mask, 0);
        for (var i = 0; i < shape.ValueWords; i++)
            shape.ValueMask[i] = BitConverter.ToUInt64(mask, i * Word);
        return shape;
    }

    /// <summary>Whether the elements of such a map lie in memory one after the other.</summary>
    public static bool CanBe(MapType type, uint flags, int keySize, int valueSize, uint maxEntries) =>
        (type == MapType.Array
            || type is MapType.Hash or MapType.LruHash && (flags & (MapFlags.NoPreallocation | MapFlags.NoCommonLru)) == 0)
        && maxEntries <= MaxEntries && (long)Words(keySize) + Words(valueSize) <= MaxWords;

    /// <summary>Elements that the kernel has in memory: a hash map has a spare one for each possible CPU.</summary>
    public static uint ElementsOf(MapInfo map) => map.MaxEntries + (map.Type == MapType.Hash ? (uint)PossibleCpus.Count : 0);

    public static ReadOnlySpan<byte> BytesOf(in WalkShape shape) =>
        MemoryMarshal.AsBytes(new ReadOnlySpan<WalkShape>(in shape));

    private static uint Words(int bytes) => (uint)(((long)bytes + Word - 1) / Word);
}
