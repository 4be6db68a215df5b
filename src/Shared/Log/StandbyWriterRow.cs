namespace Maplog.Log;

/// <summary>A capture that waits to be the writer of a source.</summary>
/// <param name="Source">The source.</param>
/// <param name="Node">Its node.</param>
/// <param name="Behind">Versions between its replicas and the heads; null: it cannot tell.</param>
/// <param name="Problem">Why it could not take over now, a sentence; null: nothing.</param>
/// <param name="Silent">Since when it has not been heard of.</param>
public sealed record StandbyWriterRow(string Source, string Node, long? Behind, string? Problem, TimeSpan Silent)
{
    /// <summary>It tells of itself every second.</summary>
    public bool IsThere => Silent < TimeSpan.FromSeconds(10);
}
