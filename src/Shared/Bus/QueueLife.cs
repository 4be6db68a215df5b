namespace Maplog.Bus;

/// <summary>What becomes of a subscription's queue.</summary>
public enum QueueLife
{
    /// <summary>It stays and fills, up to its bounds, while its replica is away.</summary>
    Kept,

    /// <summary>It goes with its only listener: for those who look on.</summary>
    Passing,
}
