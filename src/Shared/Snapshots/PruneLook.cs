namespace Maplog.Snapshots;

/// <summary>What of a stream a prune takes.</summary>
/// <param name="Plan">What would go; null: nothing.</param>
/// <param name="Why">Why nothing would, as a part of a sentence; empty: something would.</param>
public sealed record PruneLook(PrunePlan? Plan, string Why);
