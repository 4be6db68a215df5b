using Maplog.Events;
using Maplog.Folding;
using Maplog.Log;

namespace Maplog.Snapshots;

/// <summary>
/// What a map held at any version: from the nearest snapshot of the same life, then the events after it. A snapshot that is
/// damaged is told and passed over, for an earlier one or for the events alone, where they are still there.
/// </summary>
/// <param name="store">The log.</param>
/// <param name="tell">Hears a sentence about each snapshot that could not be used; null: nobody does.</param>
public sealed class StreamHistory(LogStore store, Action<string>? tell = null)
{
    private readonly LogReader _reader = new(store);
    private readonly SnapshotStore _snapshots = new(store);

    /// <summary>The fold at a version, or at the head.</summary>
    /// <param name="stream">Which stream.</param>
    /// <param name="upTo">The version; null: the head as it is when the reading begins.</param>
    /// <param name="progress">Hears of events and entries read, as they are; null: nobody does.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="PrunedException">The history before that version is gone, and no snapshot tells what it came to.</exception>
    public async Task<StreamFold> ReadAsync(StreamName stream, StreamVersion? upTo = null, Action<long>? progress = null, CancellationToken cancellation = default)
    {
        var fold = await BeginAsync(stream, upTo ?? new StreamVersion(long.MaxValue), progress, cancellation);
        await ContinueAsync(fold, upTo, progress, cancellation);
        return fold;
    }

    /// <summary>Brings a fold up to a version, or to the head as it is now.</summary>
    public async Task ContinueAsync(StreamFold fold, StreamVersion? upTo = null, Action<long>? progress = null, CancellationToken cancellation = default)
    {
        await foreach (var page in _reader.ReadAsync(fold.Stream, fold.Version, upTo, cancellation))
        {
            foreach (ref readonly var logged in page.Events.Span)
                fold.Apply(logged);
            progress?.Invoke(page.Count);
        }
    }

    /// <summary>The snapshots from which the content at a version may be made, the best first. None: it is made from the events alone.</summary>
    public async Task<IReadOnlyList<Snapshot>> FindSnapshotsAsync(StreamName stream, StreamVersion upTo, CancellationToken cancellation = default)
    {
        // A map opened empties the map: a snapshot from before it is of no use.
        var opened = await _reader.FindLastAsync(stream, EventKind.MapOpened, upTo, cancellation);
        var found = await _snapshots.FindAsync(stream, upTo, cancellation: cancellation);
        return opened is null ? found : [.. found.Where(s => s.Version >= opened.Version)];
    }

    private async Task<StreamFold> BeginAsync(StreamName stream, StreamVersion upTo, Action<long>? progress, CancellationToken cancellation)
    {
        foreach (var snapshot in await FindSnapshotsAsync(stream, upTo, cancellation))
        {
            try
            {
                return await RestoreAsync(snapshot, progress, cancellation);
            }
            catch (SnapshotDamagedException e)
            {
                tell?.Invoke(e.Message);
            }
        }
        if (await _reader.FindLastAsync(stream, EventKind.MapOpened, upTo, cancellation) is { } opened)
            return new StreamFold(stream, opened.Version + -1);
        if (await _reader.ReadFirstAsync(stream, cancellation) is { } first && first.Version.Value > 1)
            throw new PrunedException(stream, first, upTo.Value == long.MaxValue ? "now" : $"at version {upTo}", store);
        return new StreamFold(stream);
    }

    /// <summary>The fold as a snapshot has it.</summary>
    /// <exception cref="SnapshotDamagedException">It is not what was written.</exception>
    public async Task<StreamFold> RestoreAsync(Snapshot snapshot, Action<long>? progress = null, CancellationToken cancellation = default)
    {
        var fold = new StreamFold(snapshot.Stream);
        fold.Begin(snapshot.Opened.Note, snapshot.Version, snapshot.Epoch, snapshot.Time, snapshot.IsOpen);
        await foreach (var chunk in _snapshots.ReadAsync(snapshot, cancellation))
        {
            fold.Entries.Put(chunk.Keys, chunk.Values, chunk.Count);
            progress?.Invoke(chunk.Count);
        }
        return fold.Entries.Count == snapshot.Entries
            ? fold
            : throw new SnapshotDamagedException(snapshot, $"it has {snapshot.Entries} entries, but only {fold.Entries.Count} keys", store);
    }
}
