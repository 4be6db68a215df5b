namespace Maplog.Replicator;

/// <summary>What a replica does when the source's map comes back with another type, size or flags.</summary>
public enum NewShape
{
    /// <summary>Stays as it is, at the last version of the old shape, and says so.</summary>
    Stop = 0,

    /// <summary>A new map takes the place of the old one at the pin. Programs that hold the old one go on with that.</summary>
    Recreate = 1,
}
