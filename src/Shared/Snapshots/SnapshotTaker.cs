using Maplog.Events;
using Maplog.Folding;
using Maplog.Log;

namespace Maplog.Snapshots;

/// <summary>Writes snapshots: folds the log up to a version, from the nearest earlier snapshot, and writes what it comes to.</summary>
/// <param name="store">The log.</param>
/// <param name="tell">Hears a sentence about each snapshot that could not be used; null: nobody does.</param>
public sealed class SnapshotTaker(LogStore store, Action<string>? tell = null)
{
    private readonly LogReader _reader = new(store);

    /// <param name="stream">Which stream.</param>
    /// <param name="at">The version; null: the head as it is now.</param>
    /// <param name="progress">Hears of events and entries read; null: nobody does.</param>
    /// <param name="cancellation">Ends it; nothing is written then.</param>
    /// <returns>Null: the stream has no map at that version.</returns>
    /// <exception cref="LogException">The log cannot be read or written.</exception>
    public async Task<Snapshot?> TakeAsync(StreamName stream, StreamVersion? at = null, Action<long>? progress = null, CancellationToken cancellation = default)
    {
        var fold = await new StreamHistory(store, tell).ReadAsync(stream, at, progress, cancellation);
        if (fold.Generation is null || await _reader.ReadLatestAsync<MapOpened>(stream, fold.Version, cancellation) is not { } opened)
            return null;
        var term = await _reader.ReadLatestAsync<EpochStarted>(stream, fold.Version, cancellation);
        var snapshot = new Snapshot(stream, fold.Version, fold.Time, fold.Epoch, fold.IsOpen, opened, term);
        return await new SnapshotStore(store).WriteAsync(snapshot, Handing(fold.Entries), cancellation);
    }

    private static SnapshotFill Handing(MapFold entries)
    {
        var done = 0;
        return (keys, values) =>
        {
            var count = entries.CopyTo(done, keys, values);
            done += count;
            return count;
        };
    }
}
