namespace Maplog.Kernel;

/// <summary>Flags of a map's creation (BPF_F_*), as in <see cref="MapInfo.Flags"/>.</summary>
public static class MapFlags
{
    /// <summary>Entries are allocated when they are added. An LPM trie requires this flag.</summary>
    public const uint NoPreallocation = 1 << 0;

    /// <summary>An LRU list for each CPU instead of a common one.</summary>
    public const uint NoCommonLru = 1 << 1;

    /// <summary>bpf(2) may only read.</summary>
    public const uint ReadOnly = 1 << 3;

    /// <summary>bpf(2) may only write.</summary>
    public const uint WriteOnly = 1 << 4;

    /// <summary>BPF programs may only read.</summary>
    public const uint ReadOnlyForPrograms = 1 << 7;

    /// <summary>An array that can be mapped into memory.</summary>
    public const uint Mappable = 1 << 10;
}
