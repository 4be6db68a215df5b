using Maplog.Bus;
using Maplog.Events;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Replicas;

namespace Maplog.Replicator.Following;

/// <summary>
/// Takes events in order and writes them into the map in batches. If the replicator dies, the next one reads the events that did not reach
/// the map from the log: the cursor in the kernel has the position.
/// </summary>
internal sealed class ReplicaWriter
{
    private const int MostKeys = 1 << 16;
    private const int MostBytes = 8 << 20;
    private const int MostEvents = 1 << 20;
    private static readonly TimeSpan ShortestWait = TimeSpan.FromSeconds(1), LongestWait = TimeSpan.FromSeconds(30);

    private readonly ReplicaMap _replica;
    private readonly ReplicaReport _report;
    private readonly TimeProvider _time;
    private readonly PendingChanges _pending;
    private readonly BatchApplier _applier;
    // Entries that a snapshot wrote directly into the map; null: no snapshot did.
    private long? _loaded;

    public ReplicaWriter(ReplicaMap replica, ReplicaReport report, TimeSpan checkEvery, TimeProvider time)
    {
        (_replica, _report, _time) = (replica, report, time);
        _pending = new PendingChanges(replica.Stream, replica.Shape, replica.Map.Lookup);
        _applier = new BatchApplier(replica);
        Check = new ReplicaCheck(replica, checkEvery, time);
        Taken = replica.Cursor;
    }

    public ReplicaCheck Check { get; }

    public BatchApplier Applier => _applier;

    private long Done => _applier.Written + _applier.Deleted;

    /// <summary>Whether it is time to flush although more events are available.</summary>
    public bool IsLarge => _pending.Count >= MostKeys || _pending.Bytes >= MostBytes || _pending.Events >= MostEvents;

    /// <summary>Entries that the map has after the next flush, when it is built.</summary>
    public long Entries => _loaded is { } loaded ? loaded + _applier.Growth(_pending) : _pending.Count;

    /// <summary>Everything up to this version was taken; some of it may not be in the map yet.</summary>
    public Cursor Taken { get; private set; }

    /// <summary>The version from which on the stream is logged from its present map, as far as is known.</summary>
    public StreamVersion Generation { get; set; }

    /// <summary>
    /// The version from which on the source's map is frozen; null: it is not frozen, or the replica's map is frozen already.
    /// </summary>
    public StreamVersion? FrozenFrom { get; set; }

    /// <summary>Whether an interrupted batch is taken again; it goes into the map as a whole.</summary>
    public bool IsWhole { get; set; }

    /// <summary>Drops the taken events and begins with an empty content: the following events are the whole content of the map.</summary>
    public void BeginAnew()
    {
        Check.GiveUp();
        _replica.Forget();
        _pending.Clear();
        _pending.Empty();
        Taken = default;
        _loaded = null;
    }

    /// <summary>
    /// Takes a snapshot. An empty map receives it chunk by chunk, and the cursor follows. Otherwise the snapshot is taken as a whole, and
    /// the next flush removes all other entries of the map.
    /// </summary>
    /// <exception cref="LogException">The snapshot cannot be read, or is damaged: begin again.</exception>
    public async Task TakeAsync(Snapshot snapshot, IAsyncEnumerable<SnapshotChunk> chunks, CancellationToken cancellation)
    {
        var end = new Cursor(snapshot.Epoch, snapshot.Version);
        var isEmpty = _applier.IsMapEmpty();
        long taken = 0;
        await foreach (var chunk in chunks.WithCancellation(cancellation))
        {
            if (isEmpty)
            {
                var loaded = 0;
                await InsistAsync(() => _applier.Load(chunk.Keys, chunk.Values, chunk.Count, ref loaded), cancellation);
            }
            else
                _pending.TakeEntries(end, snapshot.Time, chunk.Keys, chunk.Values, chunk.Count);
            taken += chunk.Count;
        }
        if (isEmpty)
        {
            _pending.Clear();
            _replica.Begin(end);
            _replica.Commit(snapshot.Time);
            _loaded = taken;
        }
        Taken = end;
        _report.Loaded(snapshot.Version, snapshot.Entries);
    }

    /// <summary>
    /// Also begins with an empty content, but the map has the following events already, unless another program has written into it.
    /// </summary>
    public void BeginRepair()
    {
        Check.GiveUp();
        _pending.Clear();
        _pending.Empty();
        _pending.HadTo = _replica.Cursor.Version;
        Taken = default;
        _loaded = null;
    }

    /// <summary>Whether there is no seal to compare the map with, although no event waits to be written.</summary>
    public bool LacksSeal => _pending is { Events: 0, Seal: null };

    /// <summary>The log has a seal at the last taken version.</summary>
    public void Rest(Sealed seal) => _pending.Rest(seal);

    /// <summary>Begins to compare the map with the last seal, if a comparison is due and possible.</summary>
    public void CheckAtRest()
    {
        Check.Tick();
        if (_pending is { Events: 0, Seal: { } seal })
            Check.Begin(seal);
    }

    /// <summary>Takes the events of a page after the last taken one; earlier events are skipped.</summary>
    /// <returns>
    /// False: a map of another shape was opened, or this replica's map is the source's map; the earlier events were taken.
    /// </returns>
    public bool Take(EventPage page)
    {
        foreach (ref readonly var logged in page.Events.Span)
        {
            if (logged.Version <= Taken.Version)
                continue;
            if (!CanFollow(logged.Version, logged.Kind, logged.Data.Span) || !_pending.Take(logged))
                return false;
            Taken = _pending.End;
            _report.FromLog++;
            CheckAt(logged.Kind);
        }
        return true;
    }

    /// <inheritdoc cref="Take(EventPage)"/>
    /// <exception cref="FormatException">The block's entries do not belong to this map; the earlier events were taken.</exception>
    public bool Take(ChangeBlock block)
    {
        var fits = block.KeySize == _replica.Shape.KeySize && block.ValueSize == _replica.Shape.ValueBytes;
        foreach (var next in block)
        {
            if (next.Version <= Taken.Version)
                continue;
            var end = new Cursor(block.Epoch, next.Version);
            if (!next.Kind.IsChange())
            {
                if (!CanFollow(next.Version, next.Kind, next.Json) || !_pending.TakeNote(end, block.NewestTime, next.Kind, next.Json))
                    return false;
            }
            else if (!fits)
                throw new FormatException($"The block has keys of {block.KeySize} and values of {block.ValueSize} bytes, the map has {_replica.Shape.KeySize} and {_replica.Shape.ValueBytes}.");
            else if (next.HasParts)
                _pending.TakeParts(end, block.NewestTime, next.Key, next.Parts);
            else
                _pending.TakeChange(end, block.NewestTime, next.Kind, next.Key, next.Value);
            Taken = end;
            _report.FromBus++;
            CheckAt(next.Kind);
        }
        return true;
    }

    /// <summary>Ends the writer: the taken events are written into the map, unless they are only a part of a build.</summary>
    public Task LeaveAsync(CancellationToken cancellation) => _pending.FromEmpty ? Task.CompletedTask : FlushAsync(cancellation);

    /// <inheritdoc cref="LeaveAsync"/>
    public void TryLeave()
    {
        if (!_pending.FromEmpty)
            TryFlush();
    }

    // The next change may be in the same block, so flush now.
    private void CheckAt(EventKind kind)
    {
        if (kind == EventKind.Sealed && !IsWhole && !_pending.FromEmpty && _pending.Seal is { } seal && Check.IsWanted && TryFlush())
            Check.Begin(seal);
    }

    // This node was promoted: the following changes were made to this map itself. When it is a replica again, it may contain changes that
    // were never logged, so only a newly built replica may skip that time.
    private bool CanFollow(StreamVersion version, EventKind kind, ReadOnlySpan<byte> json)
    {
        if (kind is not (EventKind.MapOpened or EventKind.MapMoved))
            return true;
        // The map accepts no more writes: the next generation needs another map.
        if (kind == EventKind.MapOpened && _replica.Map.IsFrozen())
            return false;
        var note = NoteCodec.Read(kind, json);
        FrozenFrom = note is MapMoved { Frozen: true } ? version : null;
        var (id, boot) = note switch
        {
            MapOpened opened => (opened.MapId, opened.BootId),
            MapMoved moved => (moved.MapId, moved.BootId),
            _ => default,
        };
        return id != _replica.Map.Info.Id || boot != Boot.Id || version <= Generation && _pending.FromEmpty;
    }

    /// <summary>Writes all taken events into the map; false: the kernel refused, and the refusal was reported.</summary>
    public bool TryFlush() => Try(Flush);

    /// <summary>The same, repeated until the kernel accepts it.</summary>
    public Task FlushAsync(CancellationToken cancellation) => InsistAsync(Flush, cancellation);

    /// <summary>
    /// Freezes the map after it has the content that the source's map had when it was frozen, so that no other program can change it. This
    /// happens only if programs cannot change the source's map either: otherwise the replicator has to write their changes.
    /// </summary>
    public void FreezeIfDue()
    {
        if (FrozenFrom is not { } from || _replica.Cursor.Version < from)
            return;
        FrozenFrom = null;
        if ((_replica.Map.Info.Flags & MapFlags.ReadOnlyForPrograms) == 0 || _replica.Map.IsFrozen())
            return;
        try
        {
            _replica.Map.Freeze();
            _report.Frozen();
        }
        catch (KernelException e)
        {
            _report.NotFrozen(e.Message);
        }
    }

    private void Flush()
    {
        if (_pending.Events == 0)
            return;
        Check.Expect(_pending);
        _applier.Apply(_pending);
        if (_pending.LacksValue)
            Check.WantRepair();
        _pending.Clear();
        _report.Accepted(Taken);
    }

    private bool Try(Action write)
    {
        try
        {
            write();
        }
        catch (ReplicaException e) when (e.MayPass)
        {
            _report.Refused(e.InnerException is KernelException refusal ? Errno.Name(refusal.Errno) : "", e.Message);
            return false;
        }
        return true;
    }

    private async Task InsistAsync(Action write, CancellationToken cancellation)
    {
        var wait = ShortestWait;
        for (var done = Done; !Try(write); done = Done)
        {
            // If the kernel accepts a part of the batch each time, the pauses do not grow.
            if (Done > done)
                wait = ShortestWait;
            await Task.Delay(wait, _time, cancellation);
            wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        }
    }
}
