namespace Maplog.Replicas;

/// <summary>What became of a pin.</summary>
public enum PinState
{
    /// <summary>It leads to the map that it led to.</summary>
    Held = 0,

    /// <summary>It was gone, or led to another map that nobody keeps, and leads to the right one again.</summary>
    Restored,

    /// <summary>It leads to something else, or cannot be made again.</summary>
    Lost,
}
