using Maplog.Events;
using Maplog.Log;
using Maplog.Replicas;
using Maplog.Replicator.Protocol;

namespace Maplog.Replicator.Following;

/// <summary>One replica's life with one kernel map: repair or build, then follow the bus and the log by the rules of <see cref="ReplicaProtocol"/>.</summary>
internal sealed class ReplicaSession
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(2);
    private const int SilencesToSay = 3; // of two seconds each

    private readonly ReplicaMap _replica;
    private readonly HeadWatch _heads;
    private readonly ReplicaInbox _inbox;
    private readonly ReplicaReport _report;
    private readonly TimeProvider _time;
    private readonly ReplicaWriter _writer;
    private readonly LogTail _log;
    private readonly ReplicaProtocol _protocol;
    private bool _newMap;
    private int _silences; // one after the other
    private AskedHead? _unreached; // what the log had when it was asked, and the map has not yet
    private StreamVersion _logged; // the log had this much

    public ReplicaSession(ReplicaMap replica, ReplicaInbox inbox, ReplicaReport report, ReplicaHost host)
    {
        _replica = replica;
        _heads = host.Heads;
        _inbox = inbox;
        _report = report;
        _time = host.Time;
        _writer = new ReplicaWriter(replica, report, host.CheckEvery, host.Time);
        _log = new LogTail(host.Log, replica.Stream, _writer, report);
        _protocol = new ReplicaProtocol(replica.Cursor, host.Time);
    }

    public Cursor Cursor => _replica.Cursor;

    /// <summary>
    /// Follows the stream until it continues in a map of another shape, or in this replica's own map. Everything before that is applied.
    /// </summary>
    /// <param name="rebuild">Whether to build the replica although it has a cursor.</param>
    /// <param name="cancellation">Ends the session; the taken events are applied first.</param>
    /// <exception cref="ReplicaException">The replica cannot be maintained.</exception>
    public async Task RunAsync(bool rebuild, CancellationToken cancellation)
    {
        if (rebuild || _replica.Cursor.Version == StreamVersion.None)
            await BuildAsync("The replica has no cursor of this stream yet.", cancellation);
        else
            await ResumeAsync(cancellation);
        if (!_newMap && _replica.IsSourceFrozen)
            await InsistAsync(async () => _writer.FrozenFrom = await _log.ReadGenerationAsync(cancellation) is { Map.Frozen: true } frozen ? frozen.Begun : null, cancellation);
        if (!_newMap && _writer.LacksSeal)
            await TakeSealAsync(cancellation);
        _logged = _replica.Cursor.Version;
        using var level = _heads.Watch(_replica.Stream, _inbox, _report);
        await using var ticker = _time.CreateTimer(_ => _inbox.Tick(), null, TickInterval, TickInterval);
        try
        {
            while (!_newMap)
            {
                if (!_inbox.TryTake(out var item))
                {
                    await _writer.FlushAsync(cancellation);
                    _writer.CheckAtRest();
                    if (_writer.Check is { WantsRepair: false, IsUnderWay: false })
                        await _inbox.WaitAsync(cancellation);
                }
                else
                {
                    await TakeAsync(item, cancellation);
                }
                _writer.Check.Step();
                if (_writer.Check.WantsRepair && !_newMap)
                    await RepairAsync(cancellation);
                if (_writer.IsLarge || ReachesHead)
                    await _writer.FlushAsync(cancellation);
                _writer.FreezeIfDue();
                NoteLevel();
            }
            await _writer.LeaveAsync(cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            _writer.TryLeave();
            throw;
        }
    }

    private bool ReachesHead => _unreached is { } asked && _writer.Taken.Version >= asked.Head.Version;

    private void NoteLevel()
    {
        if (_unreached is not { } asked || _replica.Cursor.Version < asked.Head.Version)
            return;
        _unreached = null;
        // The same version in another term belongs to another log: the protocol finds out.
        if (_replica.Cursor.Version > asked.Head.Version || _replica.Cursor.Epoch == asked.Head.Epoch)
            _replica.NoteLevel(asked.AskedAt);
    }

    private async Task TakeAsync(InboxItem item, CancellationToken cancellation)
    {
        if (item.Broken is { } why)
            _report.Broken(why);
        // The oldest head that was not reached stays: while changes continue, the newest head is never reached.
        _unreached ??= item.Head;
        await DoAsync(Offer(item), item, cancellation);
        if (item.Head is not null)
            _report.Heard(_protocol.Head);
        if (item.Block is not null || item.Beat is not null)
        {
            _silences = 0;
            // A message of a deposed writer says nothing about the stream.
            if ((item.Block?.Epoch ?? item.Beat!.Epoch) >= _protocol.Cursor.Epoch)
                _report.Heard(_protocol.Head);
            if (_protocol.Lag == 0)
                _report.Following(_protocol.Cursor);
        }
        else if (_protocol.UntilSilence <= TimeSpan.Zero)
            await DoAsync(_protocol.Silence(), default, cancellation, bySilence: true);
    }

    private ReplicaStep Offer(InboxItem item) => item switch
    {
        { Block: { } block } => _protocol.Block(block.Epoch, block.First, block.Count),
        { Beat: { } beat } => _protocol.Beat(beat.Epoch, beat.Head),
        { Broken: not null } => _protocol.Broken(),
        { Head: { } asked } => Offer(asked),
        _ => ReplicaStep.Nothing,
    };

    // The log once had these events and has lost them, or it is another log: restored, or failed over with loss. A replica may be ahead of
    // a head that was read a moment ago.
    private ReplicaStep Offer(AskedHead asked)
    {
        if (asked.Head.Version < _logged)
            return new ReplicaStep(StepKind.Rebuild);
        _logged = asked.Head.Version;
        _protocol.Logged(asked.Head.Version);
        return ReplicaStep.Nothing;
    }

    private async Task DoAsync(ReplicaStep step, InboxItem item, CancellationToken cancellation, bool bySilence = false)
    {
        try
        {
            while (step.Kind != StepKind.Nothing && !_newMap)
                step = await DoOneAsync(step, item, bySilence, cancellation);
        }
        catch (LogException e)
        {
            _protocol.LogRead(brought: false);
            _report.LogAway(e.Message, _protocol.Cursor);
        }
    }

    /// <returns>The next step.</returns>
    private async Task<ReplicaStep> DoOneAsync(ReplicaStep step, InboxItem item, bool bySilence, CancellationToken cancellation)
    {
        switch (step.Kind)
        {
            case StepKind.Apply:
                return TakeBlock(item);
            case StepKind.ReadLog:
                _report.Reading(step.From, step.To);
                if (!await ReadLogAsync(step.To, cancellation))
                    return new ReplicaStep(StepKind.Rebuild);
                return item.Block is null ? ReplicaStep.Nothing : Offer(item);
            case StepKind.PollHead:
                var next = _protocol.Polled(await _log.ReadHeadAsync(cancellation));
                _report.Heard(_protocol.Head);
                // A busy writer or node sends its beats late: one or two missing beats do not make the bus silent.
                if (bySilence && (!_report.IsFollowing || ++_silences >= SilencesToSay))
                    _report.Polling(_protocol.Cursor);
                return next;
            default:
                if (!await _log.IsAnotherAsync(_protocol.Cursor, cancellation))
                    return ReplicaStep.Nothing;
                await BuildAsync("The log is another log than before: its event at the cursor is different or missing.", cancellation);
                return ReplicaStep.Nothing;
        }
    }

    private ReplicaStep TakeBlock(InboxItem item)
    {
        try
        {
            _newMap = !_writer.Take(item.Block!);
            return ReplicaStep.Nothing;
        }
        catch (FormatException e)
        {
            _report.Broken(e.Message);
            return _protocol.Broken();
        }
        finally
        {
            _protocol.Applied(_writer.Taken);
        }
    }

    /// <returns>False: this is not the log that the replica followed.</returns>
    private async Task<bool> ReadLogAsync(StreamVersion upTo, CancellationToken cancellation)
    {
        var before = _writer.Taken;
        try
        {
            var end = await _log.ReadAsync(upTo, whole: false, cancellation);
            _newMap = end == TailEnd.NewMap;
            return end != TailEnd.OtherLog;
        }
        finally
        {
            _protocol.Applied(_writer.Taken);
            _protocol.LogRead(brought: _writer.Taken != before);
        }
    }

    /// <summary>If the replicator died during a batch, the whole batch is applied again before anything else.</summary>
    private async Task ResumeAsync(CancellationToken cancellation)
    {
        var intent = _replica.Intent;
        if (_protocol.Resume(intent).Kind != StepKind.ReadLog)
            return;
        var end = TailEnd.Read;
        _writer.IsWhole = true;
        await InsistAsync(async () => end = await _log.ReadAsync(intent.Version, whole: true, cancellation), cancellation);
        _writer.IsWhole = false;
        if (end != TailEnd.Read || _writer.Taken != intent)
        {
            await BuildAsync("The replicator ended while it wrote a batch, and the log does not have the batch.", cancellation);
            return;
        }
        await _writer.FlushAsync(cancellation);
        _protocol.Applied(_writer.Taken);
    }

    /// <summary>
    /// An idle stream gets no new seal, so changes that other programs made to the map while no replicator ran would stay. Most idle
    /// streams end with a seal.
    /// </summary>
    private async Task TakeSealAsync(CancellationToken cancellation)
    {
        Sealed? seal = null;
        await InsistAsync(async () => seal = await _log.ReadSealAsync(_writer.Taken.Version, cancellation), cancellation);
        if (seal is not null)
            _writer.Rest(seal);
    }

    private async Task BuildAsync(string why, CancellationToken cancellation)
    {
        _newMap |= _replica.Map.IsFrozen(); // it takes no writes: another is made
        if (_newMap)
            return;
        _report.Building(why);
        (_unreached, _logged) = (null, StreamVersion.None);
        _writer.BeginAnew();
        await ReadAllAsync(cancellation);
        if (_newMap)
            return;
        var entries = _writer.Entries;
        await _writer.FlushAsync(cancellation);
        _protocol.Rebuilt(_writer.Taken);
        _report.Built(entries, _protocol.Cursor, _writer.Applier);
    }

    private Task ReadAllAsync(CancellationToken cancellation) => InsistAsync(async () =>
    {
        var generation = await _log.ReadGenerationAsync(cancellation);
        _writer.Generation = generation?.Begun ?? default;
        _newMap = generation is null || ReplicaMap.IsSource(_replica.Pin, generation.Map) || generation.Map.Shape != _replica.Shape || await _log.ReadFromAsync(generation.Opened, cancellation) == TailEnd.NewMap;
    }, cancellation);

    /// <summary>Compares the map with the log entry by entry, and corrects changes by other programs.</summary>
    private async Task RepairAsync(CancellationToken cancellation)
    {
        var began = _time.GetTimestamp();
        await _writer.FlushAsync(cancellation);
        var (written, deleted) = (_writer.Applier.Written, _writer.Applier.Deleted);
        _writer.BeginRepair();
        await ReadAllAsync(cancellation);
        if (_newMap)
            return;
        await _writer.FlushAsync(cancellation);
        _protocol.Rebuilt(_writer.Taken);
        _writer.Check.Repaired(began);
        _report.Repaired(_protocol.Cursor, _writer.Applier.Written - written, _writer.Applier.Deleted - deleted, _writer.Applier.Evicted);
    }

    /// <summary>Repeats until the log answers: there is nothing else to do meanwhile.</summary>
    private async Task InsistAsync(Func<Task> work, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                await work();
                return;
            }
            catch (LogException e)
            {
                _report.LogAway(e.Message, _replica.Cursor);
                await Task.Delay(Retry, _time, cancellation);
            }
        }
    }
}
