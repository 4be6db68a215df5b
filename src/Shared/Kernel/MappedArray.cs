using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Maplog.Kernel;

/// <summary>
/// The values of an array with <see cref="MapFlags.Mappable"/>, in this process' memory: a read or write is a load or store, which programs
/// and all other processes that have it mapped see at once. The memory is unmapped when nothing refers to it any more, and not before, so
/// that no thread can write into unmapped memory.
/// </summary>
/// <typeparam name="T">A value with the size of the map's values, a multiple of 8 bytes.</typeparam>
[SuppressMessage("Design", "CA1001", Justification = "The pages are unmapped when nobody refers to them any more.")]
public sealed unsafe class MappedArray<T>
    where T : unmanaged
{
    private readonly MappedPages _pages;

    public MappedArray(BpfMap map)
    {
        if (map.Info.Type != MapType.Array || (map.Info.Flags & MapFlags.Mappable) == 0 || map.Info.ValueSize != Unsafe.SizeOf<T>())
        {
            throw new KernelException(
                $"Cannot map {map} into memory: the map must be a mappable array with values of {Unsafe.SizeOf<T>()} bytes; this map has values of {map.Info.ValueSize}.", Errno.Einval);
        }

        Count = checked((int)map.Info.MaxEntries);
        _pages = new MappedPages(map, (nuint)Count * (nuint)Unsafe.SizeOf<T>(), write: true, 0, map.ToString());
    }

    private MappedArray(MappedPages pages, int count) => (_pages, Count) = (pages, count);

    /// <summary>Maps an array of values of whole words, whatever their size, as one array of words.</summary>
    internal static MappedArray<ulong> OfWords(BpfMap map)
    {
        var words = checked((int)((long)map.Info.MaxEntries * map.Info.ValueSize / sizeof(ulong)));
        return new MappedArray<ulong>(new MappedPages(map, (nuint)words * sizeof(ulong), write: true, 0, map.ToString()), words);
    }

    /// <summary>Gives the memory back before the collector does. The array must not be used afterwards.</summary>
    internal void Unmap() => _pages.Dispose();

    /// <summary>Entries.</summary>
    public int Count { get; }

    /// <summary>An entry, in place. Valid as long as something refers to the array.</summary>
    public ref T this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            return ref Unsafe.AsRef<T>((T*)_pages.Address + index);
        }
    }
}
