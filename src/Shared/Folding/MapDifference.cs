namespace Maplog.Folding;

/// <summary>An entry that a map and its log do not agree on.</summary>
/// <param name="Kind">How.</param>
/// <param name="Key">Key bytes.</param>
/// <param name="Logged">The log's value, null where it has none.</param>
/// <param name="Live">The map's value, null where it has none.</param>
public sealed record MapDifference(DifferenceKind Kind, byte[] Key, byte[]? Logged, byte[]? Live);
