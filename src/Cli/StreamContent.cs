using Maplog.Events;
using Maplog.Folding;
using Maplog.Log;

namespace Maplog.Cli;

/// <summary>A stream's events, folded.</summary>
internal static class StreamContent
{
    /// <summary>The map's content at the head.</summary>
    public static async Task<StreamFold> ReadAsync(LogReader reader, StreamName stream, CancellationToken cancellation)
    {
        var fold = new StreamFold(stream);
        await ContinueAsync(reader, fold, cancellation);
        return fold;
    }

    /// <summary>Brings a fold up to the head as it is now.</summary>
    public static async Task ContinueAsync(LogReader reader, StreamFold fold, CancellationToken cancellation)
    {
        await foreach (var page in reader.ReadAsync(fold.Stream, fold.Version, cancellation: cancellation))
            foreach (var logged in page)
                fold.Apply(logged);
    }
}
