namespace Maplog.Kernel;

/// <summary>What a descriptor of a map allows its holder to do; the map itself is not changed by it.</summary>
public enum MapAccess
{
    ReadWrite,

    /// <summary>Lookups and scans only (BPF_F_RDONLY).</summary>
    Read,
}
