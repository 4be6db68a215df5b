namespace Maplog.Folding;

/// <summary>How a map's entry stands to the log's.</summary>
public enum DifferenceKind
{
    /// <summary>The log has the entry, the map has not.</summary>
    Missing,

    /// <summary>The map has the entry, the log has not.</summary>
    Extra,

    /// <summary>Both have it, with different values.</summary>
    Different,
}
