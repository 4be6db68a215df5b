using Maplog.Events;
using Maplog.Log;

namespace Maplog.Snapshots;

/// <summary>
/// Takes old history out of the log: first a snapshot at the seal with which the stream will begin, then a prune record in the
/// stream that names the last version to go and both hashes, then the events go, in bounded batches. Ended on the way, the
/// next prune goes on with it.
/// </summary>
public sealed class Pruner(LogStore store, TimeProvider time, Action<string>? tell = null)
{
    /// <summary>Events a transaction deletes.</summary>
    public const int Batch = 10_000;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200), Patience = TimeSpan.FromSeconds(60);

    private readonly LogReader _reader = new(store);
    private readonly PruneStore _prunes = new(store);

    /// <summary>What would go; or why nothing of this stream would.</summary>
    /// <param name="stream">Which stream.</param>
    /// <param name="before">History from before this time.</param>
    /// <param name="cancellation">Ends the looking.</param>
    public async Task<PruneLook> LookAsync(StreamName stream, DateTimeOffset before, CancellationToken cancellation = default)
    {
        if (await _reader.ReadFirstAsync(stream, cancellation) is not { } first)
            return new PruneLook(null, "it has no events");
        if (await _reader.FindAtAsync(stream, before, cancellation) is not { } last)
            return new PruneLook(null, $"its history begins at {Text(first.Time)}, version {first.Version}, which is not before {Text(before)}");
        // The next writer learns from the last record how far the ring was logged: it stays.
        var record = await _reader.ReadLastRecordAsync(stream, cancellation: cancellation);
        var limit = record is { } kept && kept.Version < last.Version ? kept.Version : last.Version;
        var seal = await _reader.ReadLatestAsync<Sealed>(stream, limit, cancellation);
        if (seal is not null && seal.Version > first.Version)
            return new PruneLook(new PrunePlan(stream, first, seal), "");
        if (seal is not null)
            return new PruneLook(null, $"it already begins at the last seal before {Text(before)}, version {first.Version}; history can only be pruned up to a seal");
        return new PruneLook(null, limit < last.Version
            ? $"its last change from the kernel, version {limit}, must stay for the next writer, and there is no seal before it"
            : $"none of its history before {Text(before)} is sealed yet: its writer seals every minute, and history can only be pruned up to a seal");
    }

    /// <summary>What would go; null: nothing of this stream.</summary>
    public async Task<PrunePlan?> PlanAsync(StreamName stream, DateTimeOffset before, CancellationToken cancellation = default) =>
        (await LookAsync(stream, before, cancellation)).Plan;

    /// <summary>The snapshot and the record; then nothing is deleted yet.</summary>
    /// <exception cref="LogException">The log cannot be read or written, or the running writer did not write the record.</exception>
    public async Task<Pruned> RecordAsync(PrunePlan plan, DateTimeOffset before, CancellationToken cancellation = default)
    {
        await _prunes.RequireAsync(cancellation);
        var snapshot = await SnapshotAsync(plan, cancellation);
        var known = await _reader.ReadLatestAsync<Pruned>(plan.Stream, cancellation);
        if (known is { Note: var note } && note.UpTo == plan.UpTo.Value && note.SnapshotHash.AsSpan().SequenceEqual(snapshot.Hash))
            return note;
        var record = new Pruned(snapshot.Epoch.Value, plan.UpTo.Value, snapshot.Hash, plan.Seal.Note.Hash, before.ToUniversalTime(), await _prunes.WhoAsync(cancellation));
        var lease = new WriterLease(store, plan.Stream.Source);
        var holder = $"prune/{Guid.NewGuid():N}";
        if (await lease.TryPauseAsync(holder, cancellation))
        {
            try
            {
                await AppendAsync(plan.Stream, record, cancellation);
            }
            finally
            {
                await lease.ReleaseAsync(holder, cancellation: CancellationToken.None);
            }
        }
        else
        {
            await OrderAsync(plan.Stream, record, cancellation);
        }
        return record;
    }

    /// <summary>Deletes what the stream's newest record names, and what was made of it.</summary>
    /// <returns>Events deleted.</returns>
    public async Task<long> DeleteAsync(StreamName stream, Action<long>? progress = null, CancellationToken cancellation = default)
    {
        long total = 0;
        for (long deleted; (deleted = await _prunes.DeleteAsync(stream, Batch, cancellation)) > 0; total += deleted)
            progress?.Invoke(deleted);
        for (var part = 0; part < PruneStore.Parts; part++)
            await _prunes.ForgetAsync(stream, part, cancellation);
        return total;
    }

    /// <summary>Whether an earlier prune of this stream did not come to its end.</summary>
    public async Task<bool> IsUnfinishedAsync(StreamName stream, CancellationToken cancellation = default) => await LeftAsync(stream, cancellation) > 0;

    /// <summary>How many events an earlier prune has left that did not come to its end.</summary>
    public async Task<long> LeftAsync(StreamName stream, CancellationToken cancellation = default) =>
        await _reader.ReadLatestAsync<Pruned>(stream, cancellation) is { } record && await _reader.ReadFirstAsync(stream, cancellation) is { } first
            ? Math.Max(0, record.Note.UpTo - first.Version.Value + 1) : 0;

    private async Task<Snapshot> SnapshotAsync(PrunePlan plan, CancellationToken cancellation)
    {
        var snapshots = new SnapshotStore(store);
        foreach (var known in await snapshots.FindAsync(plan.Stream, plan.Seal.Version, cancellation: cancellation))
        {
            if (known.Version != plan.Seal.Version)
                break;
            try
            {
                await foreach (var chunk in snapshots.ReadAsync(known, cancellation))
                {
                    // Each was verified on the way.
                }
                return known;
            }
            catch (SnapshotDamagedException e)
            {
                tell?.Invoke(e.Message);
            }
        }
        return await new SnapshotTaker(store, tell).TakeAsync(plan.Stream, plan.Seal.Version, cancellation: cancellation)
            ?? throw new LogException($"Stream {plan.Stream} cannot be pruned up to version {plan.UpTo}: it had no map yet, so a snapshot would have no content. Prune up to a later time.");
    }

    // No writer runs, and none begins before this is done.
    private async Task AppendAsync(StreamName stream, Pruned record, CancellationToken cancellation)
    {
        var head = await _reader.ReadHeadAsync(stream, cancellation);
        using var seals = await SealTail.ReadAsync(_reader, head, cancellation);
        var now = time.GetUtcNow();
        var at = head.Time > now ? head.Time : now;
        using var batch = new EventBatch();
        var handle = new StreamHandle(stream);
        Add(record with { Epoch = head.Epoch.Value });
        Add(seals.Seal(head.Epoch));
        await (await LogWriter.OpenAsync(store, stream.Source, cancellation)).AppendAsync(batch, cancellation);

        void Add(object note)
        {
            var version = seals.Last.Next;
            batch.AddNote(handle, version, at, note);
            seals.Take(version, at, NoteCodec.KindOf(note), NoteCodec.Write(note));
        }
    }

    private async Task OrderAsync(StreamName stream, Pruned record, CancellationToken cancellation)
    {
        var order = await _prunes.OrderAsync(stream, record, cancellation);
        try
        {
            var began = time.GetTimestamp();
            while (await _reader.ReadLatestAsync<Pruned>(stream, cancellation) is not { } written || written.Note.UpTo != record.UpTo)
            {
                if (time.GetElapsedTime(began) > Patience)
                    throw new LogException($"Pruning {stream} failed: the daemon that writes source {stream.Source} did not write the prune record within {Patience.TotalSeconds:0} seconds. Is it running, has it this version, and can it reach the log? Nothing was deleted.");
                await Task.Delay(LookEvery, time, cancellation);
            }
        }
        finally
        {
            await _prunes.WithdrawAsync(order, CancellationToken.None);
        }
    }

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture);
}
