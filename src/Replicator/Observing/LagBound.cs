namespace Maplog.Replicator.Observing;

/// <summary>How far a replica may be behind and still be ready.</summary>
/// <param name="Time">How long it may have been behind, or without word of its stream's head.</param>
/// <param name="Versions">How many versions it may lack; null: any number.</param>
internal sealed record LagBound(TimeSpan Time, long? Versions);
