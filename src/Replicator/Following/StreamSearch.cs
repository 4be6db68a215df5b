using Maplog.Events;
using Maplog.Log;

namespace Maplog.Replicator.Following;

/// <summary>Explains why the log has nothing for a replica: usually a name is misspelt, or the source is not captured yet.</summary>
internal sealed class StreamSearch(LogStore log, StreamName stream)
{
    private const int Shown = 10;

    // A list costs more than the question whether the stream exists, and changes rarely.
    private const int AskEvery = 5;

    private int _asked;
    private string _said = "";

    /// <summary>A sentence with the present findings, or those of a few questions ago.</summary>
    /// <exception cref="LogException">The log cannot be reached or refuses the query.</exception>
    public async Task<string> WhyMissingAsync(CancellationToken cancellation)
    {
        if (_asked++ % AskEvery == 0)
            _said = await FindAsync(cancellation);
        return _said;
    }

    internal static string UnknownSource(StreamName stream, IReadOnlyList<string> sources) =>
        $"The log has no source '{stream.Source}'{Those("sources", sources)}. Correct the name, or add the source with 'maplog source add {stream.Source}'.";

    internal static string UnknownMap(StreamName stream, IReadOnlyList<string> maps) =>
        $"The log has no such stream yet{Those($"maps of source {stream.Source}", maps)}. Correct the name, or let the capture of {stream.Source} watch a map '{stream.Map}'.";

    private async Task<string> FindAsync(CancellationToken cancellation)
    {
        var sources = await new LogSchema(log).ListSourcesAsync(cancellation);
        if (!sources.Contains(stream.Source))
            return UnknownSource(stream, sources);
        var maps = (await new LogReader(log).ListStreamsAsync(stream.Source, cancellation)).Select(s => s.Head.Stream.Map).ToList();
        return maps.Contains(stream.Map)
            ? "The log has the stream, but no map was opened in it yet: the capture opens one when the map is created."
            : UnknownMap(stream, maps);
    }

    private static string Those(string what, IReadOnlyList<string> names) => names.Count switch
    {
        0 => $"; {what}: none",
        <= Shown => $"; {what}: {string.Join(", ", names)}",
        _ => $"; {what}: {string.Join(", ", names.Take(Shown))}, and {names.Count - Shown} more",
    };
}
