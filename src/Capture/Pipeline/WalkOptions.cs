namespace Maplog.Capture.Pipeline;

/// <summary>How fresh the log is kept of what programs write through pointers.</summary>
/// <param name="Share">The share of a processor that all walks may take together; 0: nothing is walked.</param>
/// <param name="Fresh">The interval that is wished for every map.</param>
/// <param name="Refresh">After this time volatile bytes are logged by themselves; zero: never.</param>
/// <param name="FreshOfMaps">The interval for some maps, by the map's half of the stream's name.</param>
internal sealed record WalkOptions(double Share, TimeSpan Fresh, TimeSpan Refresh, IReadOnlyDictionary<string, TimeSpan> FreshOfMaps)
{
    /// <summary>Nanoseconds.</summary>
    public long FreshOf(string map) => (long)FreshOfMaps.GetValueOrDefault(map, Fresh).TotalNanoseconds;
}
