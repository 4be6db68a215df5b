using Maplog.Events;

namespace Maplog.Log;

/// <summary>The chain of seals of a stream as its next writer goes on with it.</summary>
public static class SealTail
{
    /// <summary>
    /// From the last seal on, the events since are read again: a minute's changes as a rule. Of a stream without seals that is
    /// all of it.
    /// </summary>
    /// <param name="reader">The log.</param>
    /// <param name="head">Where the stream ends.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public static async Task<SealChain> ReadAsync(LogReader reader, StreamHead head, CancellationToken cancellation = default)
    {
        var seal = await reader.ReadLatestAsync<Sealed>(head.Stream, cancellation);
        var first = seal is null ? await reader.ReadFirstAsync(head.Stream, cancellation) : null;
        var after = new StreamVersion(seal is not null ? seal.Version.Value - 1 : (first?.Version.Value ?? 1) - 1);
        var chain = new SealChain(after, seal?.Note.Hash);
        await foreach (var page in reader.ReadAsync(head.Stream, after, head.Version, cancellation))
            foreach (var logged in page)
                chain.Take(logged.Version, logged.Time, logged.Kind, logged.Data.Span);
        return chain;
    }
}
