using Maplog.Kernel;

namespace Maplog.Cli.Output;

/// <summary>The kernel's own names of the kinds of maps, as bpftool prints them.</summary>
internal static class MapTypeNames
{
    /// <param name="type">The kernel's number.</param>
    public static string Of(int type) => (MapType)type switch
    {
        MapType.Hash => "hash",
        MapType.Array => "array",
        MapType.PerCpuHash => "percpu_hash",
        MapType.PerCpuArray => "percpu_array",
        MapType.LruHash => "lru_hash",
        MapType.LruPerCpuHash => "lru_percpu_hash",
        MapType.LpmTrie => "lpm_trie",
        _ => $"type {type}",
    };
}
