namespace Maplog.Replicator.Observing;

/// <summary>How far a replica may be behind and still be ready.</summary>
/// <param name="Time">How long the replica may have been behind, or without news of its stream's head.</param>
/// <param name="Versions">How many versions the replica may lack; null: any number.</param>
internal sealed record LagBound(TimeSpan Time, long? Versions);
