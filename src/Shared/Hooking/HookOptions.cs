namespace Maplog.Hooking;

/// <summary>How to attach the hook.</summary>
public sealed record HookOptions
{
    /// <summary>The wanted probe; null: the best one that this kernel allows.</summary>
    public Probe? Probe { get; init; }

    /// <summary>Bytes of the ring: a power of two, at least a page.</summary>
    public required int RingBytes { get; init; }

    /// <summary>Map names; their maps are watched from their first change.</summary>
    public IReadOnlyList<NamePattern> Names { get; init; } = [];

    /// <summary>
    /// Folder of bpffs in which ring, maps and links are pinned; null: nothing is pinned, and the hook ends with the process.
    /// </summary>
    public string? PinFolder { get; init; }

    /// <summary>The pinned map of the replicators on this node; their writes are not logged. Null: none.</summary>
    public string? WritersPin { get; init; }
}
