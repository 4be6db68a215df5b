using Maplog.Events;
using Maplog.Folding;
using Maplog.Log;
using Maplog.Replicas;
using Maplog.Replicator.Protocol;
using Maplog.Snapshots;

namespace Maplog.Replicator.Following;

/// <summary>The result of a read of the log.</summary>
internal enum TailEnd
{
    /// <summary>The range was taken, as far as the log has it.</summary>
    Read = 0,

    /// <summary>The event at the cursor is not the event that the replica applied.</summary>
    OtherLog,

    /// <summary>The log continues in a map that this replica cannot follow; everything before was taken.</summary>
    NewMap,
}

/// <summary>Reads a stream's log for one replica.</summary>
internal sealed class LogTail(LogStore store, StreamName stream, ReplicaWriter writer, ReplicaReport report)
{
    private readonly LogReader _log = new(store);

    /// <summary>Reads and takes the events after the last taken one, up to a version or the head.</summary>
    /// <param name="upTo">Null: the head.</param>
    /// <param name="whole">The range must go into the map as one batch.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public async Task<TailEnd> ReadAsync(StreamVersion? upTo, bool whole, CancellationToken cancellation)
    {
        while (true)
        {
            var from = writer.Taken;
            var end = await ReadOnceAsync(from, upTo, whole, cancellation);
            if (end is not null)
                return end.Value;
            // The kernel refuses a batch: no query stays open during the retries.
            await writer.FlushAsync(cancellation);
        }
    }

    /// <summary>
    /// Takes the whole present generation of the map: its newest undamaged snapshot and the later events, or all events from the one that
    /// opened it.
    /// </summary>
    /// <exception cref="PrunedException">The log has neither.</exception>
    public async Task<TailEnd> ReadFromAsync(StreamVersion opened, CancellationToken cancellation)
    {
        if (writer.Taken.Version == StreamVersion.None)
            await LoadAsync(cancellation);
        var after = writer.Taken.Version < opened ? opened + -1 : writer.Taken.Version;
        if (writer.Taken.Version == StreamVersion.None && await _log.ReadFirstAsync(stream, cancellation) is { } first && first.Version > opened)
            throw new PrunedException(stream, first, "when its map was opened, and no snapshot of it can be used", store);
        await foreach (var page in _log.ReadAsync(stream, after, null, cancellation))
        {
            if (!writer.Take(page))
                return TailEnd.NewMap;
        }
        return TailEnd.Read;
    }

    private async Task LoadAsync(CancellationToken cancellation)
    {
        foreach (var snapshot in await new StreamHistory(store).FindSnapshotsAsync(stream, new StreamVersion(long.MaxValue), cancellation))
        {
            try
            {
                await writer.TakeAsync(snapshot, new SnapshotStore(store).ReadAsync(snapshot, cancellation), cancellation);
                return;
            }
            catch (LogException e)
            {
                writer.BeginAnew();
                if (e is not SnapshotDamagedException)
                    throw;
                report.SnapshotDamaged(e.Message);
            }
        }
    }

    /// <summary>
    /// Whether a new session finds another event at the cursor, or none: the present session may lead to a former primary.
    /// </summary>
    public async Task<bool> IsAnotherAsync(Cursor cursor, CancellationToken cancellation)
    {
        store.RenewSessions();
        if (cursor.Version == StreamVersion.None)
            return false;
        await foreach (var page in _log.ReadAsync(stream, cursor.Version + -1, cursor.Version, cancellation))
            return !ReplicaProtocol.Confirms(cursor, FirstOf(page));
        return true;
    }

    public async Task<Cursor> ReadHeadAsync(CancellationToken cancellation)
    {
        var head = await _log.ReadHeadAsync(stream, cancellation);
        return new Cursor(head.Epoch, head.Version);
    }

    /// <summary>The seal at a version; null if the log has another event there.</summary>
    public async Task<Sealed?> ReadSealAsync(StreamVersion version, CancellationToken cancellation) =>
        await _log.ReadLatestAsync<Sealed>(stream, version, cancellation) is { } found && found.Version == version ? found.Note : null;

    public Task<StreamGeneration?> ReadGenerationAsync(CancellationToken cancellation) => _log.ReadGenerationAsync(stream, cancellation);

    private async Task<TailEnd?> ReadOnceAsync(Cursor from, StreamVersion? upTo, bool whole, CancellationToken cancellation)
    {
        // The event at the cursor is read too: the later events follow from it only if it is still the same event.
        var confirmed = from.Version == StreamVersion.None;
        await foreach (var page in _log.ReadAsync(stream, confirmed ? from.Version : from.Version + -1, upTo, cancellation))
        {
            if (!confirmed && !ReplicaProtocol.Confirms(from, FirstOf(page)))
                return TailEnd.OtherLog;
            confirmed = true;
            if (!writer.Take(page))
                return TailEnd.NewMap;
            if (writer.IsLarge && !whole && !writer.TryFlush())
                return null;
        }
        return confirmed ? TailEnd.Read : TailEnd.OtherLog;
    }

    private static Cursor FirstOf(EventPage page) => new(EventEpoch.Of(page.Events.Span[0]), page.First);
}
