using Maplog.Events;
using Maplog.Kernel;

namespace Maplog.Replicas;

/// <summary>Compares maps with the description of the source's map in the log.</summary>
public static class ReplicaShape
{
    private static readonly MapType[] Replicable =
        [MapType.Hash, MapType.LruHash, MapType.Array, MapType.LpmTrie, MapType.PerCpuHash, MapType.PerCpuArray, MapType.LruPerCpuHash];

    /// <summary>A map in words: <c>Hash with keys of 24 bytes, values of 64 bytes, 1000 entries, flags 0x0</c>.</summary>
    public static string Describe(MapShape shape) =>
        $"{(MapType)shape.Type} with keys of {shape.KeySize} bytes, values of {shape.ValueSize} bytes, {shape.MaxEntries} entries, flags 0x{shape.Flags:x}";

    /// <inheritdoc cref="Describe(MapShape)"/>
    public static string Describe(MapInfo info) => Describe(Of(info));

    /// <summary>The description of a map of this kernel.</summary>
    public static MapShape Of(MapInfo info) => new(
        (int)info.Type, info.KeySize, info.ValueSize, info.MaxEntries, (int)info.Flags, info.Type.IsPerCpu() ? PossibleCpus.Count : 0);

    /// <summary>Whether a map of this kernel can hold the content of the log's map.</summary>
    public static bool Fits(MapInfo info, MapShape shape) =>
        (int)info.Type == shape.Type && info.KeySize == shape.KeySize && info.ValueSize == shape.ValueSize && info.Flags == (uint)shape.Flags
        // The kernel rounds an LRU with a list per CPU up to the number of its own CPUs.
        && ((info.Flags & MapFlags.NoCommonLru) != 0 ? info.MaxEntries >= shape.MaxEntries : info.MaxEntries == shape.MaxEntries);

    /// <summary>
    /// Whether a map of this kernel can hold everything that a map of another kind of hash held: the same sizes, at least as much room, and
    /// an LRU map only after an LRU map, because it evicts entries that another kind would keep.
    /// </summary>
    public static bool CanHold(MapInfo info, MapShape shape)
    {
        const uint Allocation = MapFlags.NoPreallocation | MapFlags.NoCommonLru;
        var type = (MapType)shape.Type;
        return IsHash(info.Type) && IsHash(type) && info.Type.IsPerCpu() == type.IsPerCpu() && (!info.Type.IsLru() || type.IsLru())
            && info.KeySize == shape.KeySize && info.ValueSize == shape.ValueSize && info.MaxEntries >= shape.MaxEntries
            && (info.Flags & ~Allocation) == ((uint)shape.Flags & ~Allocation);
    }

    /// <exception cref="ReplicaException">No map of this host can be a replica of such a map.</exception>
    public static void CheckHost(StreamName stream, MapShape shape)
    {
        if (!Replicable.Contains((MapType)shape.Type))
            throw new ReplicaException($"Stream {stream} has a map of type {(MapType)shape.Type}, which cannot be rebuilt elsewhere: replicate maps of the types {string.Join(", ", Replicable)}.");
        if (shape.PossibleCpus != 0 && shape.PossibleCpus != PossibleCpus.Count)
        {
            throw new ReplicaException(
                $"Stream {stream} has per-CPU values of {shape.PossibleCpus} CPUs, and this host has {PossibleCpus.Count} possible CPUs: replicate it to a host with the same number (possible_cpus= on the kernel's command line sets it).");
        }
    }

    private static bool IsHash(MapType type) => type is MapType.Hash or MapType.LruHash or MapType.PerCpuHash or MapType.LruPerCpuHash;
}
