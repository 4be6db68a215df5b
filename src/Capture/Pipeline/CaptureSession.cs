using Maplog.Capture.Watching;
using Maplog.Events;
using Maplog.Hooking;
using Maplog.Kernel;
using Maplog.Log;
using Microsoft.Extensions.Logging;

namespace Maplog.Capture.Pipeline;

/// <summary>
/// The loop of a capturing daemon: reads the ring into a batch while the batch before is being committed, so that batches
/// are as large as commits are slow. The ring's consumer position follows the commits.
/// </summary>
internal sealed class CaptureSession(CaptureHook hook, MapRegistry registry, EventSink sink, Committer committer, BatchFeed feed, Walker walker, CaptureOptions options, TimeProvider time, ILogger log) : IDisposable
{
    private const int MostBatchBytes = 16 << 20, IdleRoundsBeforeNap = 50, HeldShare = 4, MostScans = 16;
    private const int Pause = 1, Nap = 4; // ms
    // Fewer records than these are not worth a round of their own while a commit is under way.
    private const int Many = 256;
    // A commit costs some milliseconds of a processor whatever is in it: one that follows another at once would make all of them late.
    private static readonly TimeSpan LeastBetweenCommits = TimeSpan.FromMilliseconds(3);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1), LookOften = TimeSpan.FromMilliseconds(50), CountLossesEvery = TimeSpan.FromMilliseconds(100), HurryWithin = TimeSpan.FromSeconds(10), RestsAfter = TimeSpan.FromSeconds(2), StillAfter = TimeSpan.FromSeconds(30);

    private const string Waiting = "it waited for a commit";
    private const long LastLookWithin = 5_000_000_000;

    private readonly CancellationTokenSource _giveUp = new();
    private readonly object _rest = new(); // pulsed when a commit ends
    private readonly Heap _heap = new();
    private EventBatch _filling = sink.Batch, _spare = new();
    private Task _commit = Task.CompletedTask;
    private LossStatement? _losses; // of the batch under way
    private long _watchedAt = time.GetTimestamp();
    private long _lookAt, _predecessorsAt, _lossesAt, _commitAt, _readAt, _sealedAt = time.GetTimestamp();
    private Action<long>? _countLosses;
    private long _lookUntil, _foundBefore;
    private bool _isLooked;
    private int _scans; // under way, as of the last round
    private long _roundAt = time.GetTimestamp();
    private volatile string _doing = "it started";

    /// <summary>Looks after the hook; null: nobody need.</summary>
    public HookWatch? Watch { get; init; }

    /// <summary>Keeps how far each stream is committed; null: nobody does.</summary>
    public HeadKeeper? Heads { get; init; }

    /// <summary>Runs until asked to stop; <see cref="StopAsync"/> follows. On a thread of its own, because it rests a thousand times a second: the pool's timer and workers would be woken for each.</summary>
    public Task RunAsync(CancellationToken stopping) =>
        Task.Factory.StartNew(() => Run(stopping), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Run(CancellationToken stopping)
    {
        using var watch = time.CreateTimer(_ => TellOfStandstill(), null, StillAfter, StillAfter);
        var idle = 0;
        while (!stopping.IsCancellationRequested)
        {
            Volatile.Write(ref _roundAt, time.GetTimestamp());
            _doing = "it read the ring";
            var read = ReadRing();
            Attend();
            if (_commit.IsCompleted)
            {
                _commit.GetAwaiter().GetResult();
                AccountLosses();
                if (_filling.Count == 0)
                    hook.Ring.Release(Releasable);
                else if (IsFull || time.GetElapsedTime(_commitAt) >= LeastBetweenCommits)
                    BeginCommit();
            }
            if (read >= Many && !IsFull)
                continue;
            idle = read > 0 ? 0 : idle + 1;
            if (idle <= 1)
                _readAt = time.GetTimestamp();
            else if (_commit.IsCompleted && time.GetElapsedTime(_readAt) >= RestsAfter)
                GiveBack();
            Rest(idle, stopping);
        }
    }

    private void GiveBack()
    {
        _doing = "it gave back memory";
        _heap.GiveBackIfMuch();
        _readAt = time.GetTimestamp();
    }

    private void Rest(int idle, CancellationToken stopping)
    {
        lock (_rest)
        {
            var isCommitting = !_commit.IsCompleted;
            _doing = isCommitting ? Waiting : "it rested";
            do
            {
                Monitor.Wait(_rest, isCommitting || idle > IdleRoundsBeforeNap && !walker.IsReading ? Nap : Pause);
                LookAfterHook();
            }
            while (IsFull && !_commit.IsCompleted && !stopping.IsCancellationRequested);
        }
    }

    /// <summary>Commits what was read.</summary>
    /// <param name="isLast">No daemon will go on with this ring: what is in it is taken along.</param>
    /// <param name="within">How long to try, if the log is away.</param>
    /// <param name="unpin">Takes the programs' pins away, if it is the last.</param>
    /// <param name="hurry">Cuts the time down to ten seconds.</param>
    /// <returns>Whether all that it was to commit is committed.</returns>
    public async Task<bool> StopAsync(bool isLast, TimeSpan within, Action? unpin, CancellationToken hurry)
    {
        _giveUp.CancelAfter(within);
        using var hurrying = hurry.Register(() => _giveUp.CancelAfter(HurryWithin));
        var isDone = false;
        try
        {
            await _commit;
            AccountLosses();
            // A hook that goes with the daemon leaves no ring behind.
            isLast |= !hook.IsPinned;
            registry.Losses.Count(KernelClock.Now, isLast: true);
            if (isLast)
            {
                unpin?.Invoke();
                hook.Unhook();
            }
            bool isMore;
            do
            {
                isMore = ReadRing() > 0 || isLast && LetFollow() || _filling.Count > 0;
                // What was recorded is committed before the last look, which may take seconds.
                if (isLast && !isMore)
                    isMore = LookOnce();
                if (_filling.Count == 0)
                    continue;
                BeginCommit();
                await _commit;
                AccountLosses();
            }
            while (isLast && isMore);
            isDone = true;
        }
        catch (Exception e) when (e is OperationCanceledException or LogException or HookLostException)
        {
            // Not committed and not released: it is still in the ring, for the next daemon.
        }
        log.Stopped(committer.Committed, hook.Ring.ProducerPosition - hook.Ring.ConsumerPosition);
        return isDone;
    }

    public void Dispose()
    {
        _giveUp.Dispose();
        _filling.Dispose();
        _spare.Dispose();
    }

    // A part of the ring may hold what the next daemon would otherwise miss of maps that wait for their predecessors' end.
    private ulong Releasable => registry.ReleasableUpTo(hook.Ring.Cursor, (ulong)options.RingBytes / HeldShare);

    private bool IsFull => _filling.Count >= options.BatchSize || _filling.Bytes >= MostBatchBytes;

    // What is known of a map whose time has not come goes into the log before the end.
    private bool LetFollow()
    {
        var isMore = registry.TakeLook();
        registry.LookAround();
        return registry.TakeLook() || isMore;
    }

    private int ReadRing()
    {
        var read = 0;
        while (!IsFull && TryRead(out var record))
        {
            read++;
            registry.Take(record);
        }
        return read;
    }

    // Once a second, also while a batch that is full waits for the log, which may take hours.
    private void LookAfterHook()
    {
        if (Watch is null || time.GetElapsedTime(_watchedAt) < LookEvery)
            return;
        _watchedAt = time.GetTimestamp();
        Watch.Look();
    }

    private bool TryRead(out RingRecord record)
    {
        try
        {
            return hook.Ring.TryRead(out record);
        }
        catch (InvalidOperationException e) when (Watch is not null && hook.Ring.IsReleasedElsewhere)
        {
            throw new HookLostException(e.Message, Watch.SoundAt);
        }
    }

    // What is to be done beside the ring: maps that come and go, losses, and reading maps themselves.
    private void Attend()
    {
        _doing = "it looked at the kernel's maps";
        if (time.GetElapsedTime(_lookAt) >= LookEvery || time.GetElapsedTime(_predecessorsAt) >= LookOften && HasPredecessorEnded())
        {
            registry.LookAround();
            _lookAt = time.GetTimestamp();
        }
        registry.TakeLook();
        _doing = "it counted losses";
        var now = KernelClock.Now;
        if (time.GetElapsedTime(_lossesAt) >= CountLossesEvery)
        {
            registry.Losses.Count(now, isLast: false);
            _lossesAt = time.GetTimestamp();
        }
        _doing = "it sealed";
        registry.WriteAsked(now);
        if (time.GetElapsedTime(_sealedAt) >= options.SealEvery)
        {
            sink.Seal(now);
            _sealedAt = time.GetTimestamp();
        }
        if (!IsFull)
            LookAtMaps(now);
    }

    private void LookAtMaps(long now)
    {
        _doing = "it walked over maps";
        walker.Step(now, hook.Ring.ProducerPosition, hook.Ring.Cursor, _countLosses ??= at => registry.Losses.Count(at, isLast: false));
        _doing = "it read a map";
        // All of them at once, as at the start, would take room for all of them.
        var scans = _scans;
        _scans = 0;
        foreach (var map in registry.Maps)
        {
            if (!map.Inspector.IsBusy)
                continue;
            var hadBegun = map.Inspector.HasBegun;
            map.Inspector.Step(now, hook.Ring.ProducerPosition, hook.Ring.Cursor, mayBegin: scans < MostScans);
            if (!map.Inspector.HasBegun)
                continue;
            _scans++;
            if (!hadBegun)
                scans++;
        }
    }

    private bool HasPredecessorEnded()
    {
        _predecessorsAt = time.GetTimestamp();
        return registry.HasPredecessorEnded();
    }

    // A last look at what programs wrote through pointers: nobody of this source looks after it.
    private bool LookOnce()
    {
        if (_isLooked || options.WalkShare <= 0)
            return false;
        if (_lookUntil == 0)
        {
            (_lookUntil, _foundBefore) = (KernelClock.Now + LastLookWithin, FoundInPlace());
            walker.LookNow(KernelClock.Now);
        }
        var now = KernelClock.Now;
        LookAtMaps(now);
        if (walker.IsLooking && now < _lookUntil)
        {
            Thread.Sleep(Pause);
            return true;
        }
        _isLooked = true;
        foreach (var (map, lookedAt) in walker.NotLookedAt)
            sink.Note(map.Stream, new GapFound(sink.Epoch.Value, "last-look", -1, lookedAt, now), now);
        log.LookedOnce(registry.Maps.Count, FoundInPlace() - _foundBefore, walker.NotLookedAt.Count());
        return true;
    }

    private long FoundInPlace() => registry.Maps.Sum(m => m.Stream.Counters.Changes(Origin.InPlace) + m.Stream.Counters.Changes(Origin.Scan));

    // For what should never be: then it is known where it hangs. That a full batch waits for a log that is away is told of elsewhere.
    private void TellOfStandstill()
    {
        var still = time.GetElapsedTime(Volatile.Read(ref _roundAt));
        if (still >= StillAfter && !(_doing == Waiting && !_commit.IsCompleted))
            log.StandsStill((long)still.TotalSeconds, _doing, _commit.Status.ToString());
    }

    // The ledger is the loop's: the commit's thread has no part in it.
    private void AccountLosses()
    {
        if (_losses is { } committed)
            registry.Losses.Committed(committed);
        _losses = null;
    }

    private void BeginCommit()
    {
        _commitAt = time.GetTimestamp();
        var batch = _filling;
        var ringEnd = Releasable;
        (_filling, _spare) = (_spare, _filling);
        sink.Batch = _filling;
        _losses = registry.Losses.TakeStatement();
        _commit = CommitAsync(batch, ringEnd);
        _ = _commit.ContinueWith(_ => Wake(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private void Wake()
    {
        lock (_rest)
            Monitor.Pulse(_rest);
    }

    private async Task CommitAsync(EventBatch batch, ulong ringEnd)
    {
        await committer.CommitAsync(batch, _giveUp.Token);
        Heads?.Keep(batch); // before the records are released: what they say is in this log alone from then on
        hook.Ring.Release(ringEnd);
        registry.Committed();
        feed.Publish(batch, sink.Epoch);
        batch.Clear();
    }
}
