using Maplog.Kernel;

namespace Maplog.Hooking;

/// <summary>A kernel function that bpf/capture.bpf.c hooks, and the map types that use it for changes.</summary>
/// <param name="Name">The kernel's name.</param>
/// <param name="Deed">The changes that are lost if it cannot be hooked.</param>
/// <param name="HasKprobe">Whether the kprobe probe hooks it too; the others are called only inside bpf(2).</param>
/// <param name="Types">Map types.</param>
public sealed record HookedFunction(string Name, string Deed, bool HasKprobe, params MapType[] Types)
{
    private const string Update = "updates", Delete = "deletes", Take = "lookup-and-deletes", TakeBatch = "lookup-and-delete batches", Evict = "evictions";

    public static IReadOnlyList<HookedFunction> All { get; } =
    [
        new("htab_map_update_elem", Update, true, MapType.Hash),
        new("htab_lru_map_update_elem", Update, true, MapType.LruHash),
        new("htab_percpu_map_update_elem", Update, true, MapType.PerCpuHash),
        new("htab_lru_percpu_map_update_elem", Update, true, MapType.LruPerCpuHash),
        new("bpf_percpu_hash_update", "updates by bpf(2)", false, MapType.PerCpuHash, MapType.LruPerCpuHash),
        new("bpf_percpu_array_update", "updates by bpf(2)", false, MapType.PerCpuArray),
        new("array_map_update_elem", Update, true, MapType.Array, MapType.PerCpuArray),
        new("trie_update_elem", Update, true, MapType.LpmTrie),
        new("htab_map_delete_elem", Delete, true, MapType.Hash, MapType.PerCpuHash),
        new("htab_lru_map_delete_elem", Delete, true, MapType.LruHash, MapType.LruPerCpuHash),
        new("trie_delete_elem", Delete, true, MapType.LpmTrie),
        new("htab_lru_map_delete_node", Evict, true, MapType.LruHash, MapType.LruPerCpuHash),
        new("htab_map_lookup_and_delete_elem", Take, false, MapType.Hash),
        new("htab_lru_map_lookup_and_delete_elem", Take, false, MapType.LruHash),
        new("htab_percpu_map_lookup_and_delete_elem", Take, false, MapType.PerCpuHash),
        new("htab_lru_percpu_map_lookup_and_delete_elem", Take, false, MapType.LruPerCpuHash),
        new("htab_map_lookup_and_delete_batch", TakeBatch, false, MapType.Hash),
        new("htab_lru_map_lookup_and_delete_batch", TakeBatch, false, MapType.LruHash),
        new("htab_percpu_map_lookup_and_delete_batch", TakeBatch, false, MapType.PerCpuHash),
        new("htab_lru_percpu_map_lookup_and_delete_batch", TakeBatch, false, MapType.LruPerCpuHash),
    ];

    /// <summary>Map types that can be logged and replicated.</summary>
    public static bool Supports(MapType type) => All.Any(f => f.Types.Contains(type));
}
