namespace Maplog.Kernel;

/// <summary>Properties of a map's kind.</summary>
public static class MapTypes
{
    /// <summary>Each possible CPU has its own value under one key.</summary>
    public static bool IsPerCpu(this MapType type) =>
        type is MapType.PerCpuHash or MapType.PerCpuArray or MapType.LruPerCpuHash or MapType.PerCpuCgroupStorage;

    /// <summary>The kernel evicts entries to make room.</summary>
    public static bool IsLru(this MapType type) => type is MapType.LruHash or MapType.LruPerCpuHash;

    /// <summary>Entries are in buckets; batches walk it bucket by bucket.</summary>
    public static bool IsHash(this MapType type) =>
        type is MapType.Hash or MapType.LruHash or MapType.PerCpuHash or MapType.LruPerCpuHash or MapType.HashOfMaps;

    /// <summary>Every index always has a value; entries are never added or removed.</summary>
    public static bool IsArray(this MapType type) => type is MapType.Array or MapType.PerCpuArray;
}
