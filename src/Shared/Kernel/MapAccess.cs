namespace Maplog.Kernel;

/// <summary>The access that a descriptor of a map gives its holder; the map itself does not change.</summary>
public enum MapAccess
{
    ReadWrite,

    /// <summary>Lookups and scans only (BPF_F_RDONLY).</summary>
    Read,
}
