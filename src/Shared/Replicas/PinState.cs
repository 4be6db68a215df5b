namespace Maplog.Replicas;

/// <summary>The state of a pin.</summary>
public enum PinState
{
    /// <summary>The pin leads to the same map as before.</summary>
    Held = 0,

    /// <summary>The pin was gone, or led to another map that no replicator maintains, and leads to the right map again.</summary>
    Restored,

    /// <summary>The pin leads to something else, or cannot be created again.</summary>
    Lost,
}
