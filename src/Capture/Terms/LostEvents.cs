using Maplog.Events;
using Maplog.Log;

namespace Maplog.Capture.Terms;

/// <summary>Events that a log had confirmed and does not have any more.</summary>
internal static class LostEvents
{
    /// <param name="streams">The streams of the source, as the log has them.</param>
    /// <param name="heads">How far this host has committed each of them since its boot.</param>
    /// <returns>How many events the log lacks of each stream that ends too early, by the map's half of the stream's name.</returns>
    public static Dictionary<string, long> Find(IReadOnlyList<StreamSummary> streams, IReadOnlyDictionary<string, long> heads)
    {
        var ends = streams.ToDictionary(s => s.Stream.Map, s => s.Head.Version.Value);
        return heads.Where(h => h.Value > ends.GetValueOrDefault(h.Key)).ToDictionary(h => h.Key, h => h.Value - ends.GetValueOrDefault(h.Key));
    }

    /// <param name="found">What <see cref="Find"/> found.</param>
    /// <param name="told">What the term before was told when its commit failed.</param>
    /// <returns>Both together; of a stream in both the greater count.</returns>
    public static Dictionary<string, long> With(this Dictionary<string, long> found, IReadOnlyDictionary<StreamName, long> told)
    {
        var all = new Dictionary<string, long>(found);
        foreach (var (stream, events) in told)
            all[stream.Map] = Math.Max(events, all.GetValueOrDefault(stream.Map));
        return all;
    }
}
