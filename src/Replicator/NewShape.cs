namespace Maplog.Replicator;

/// <summary>What a replica does if the source's map returns with another type, size or flags.</summary>
public enum NewShape
{
    /// <summary>The replica stays at the last version of the old shape, and says so.</summary>
    Stop = 0,

    /// <summary>A new map replaces the old map at the pin. Programs that have the old map open keep it.</summary>
    Recreate = 1,
}
