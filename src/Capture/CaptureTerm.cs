using Maplog.Capture.Keeping;
using Maplog.Capture.Observing;
using Maplog.Capture.Pipeline;
using Maplog.Capture.Terms;
using Maplog.Capture.Watching;
using Maplog.Configuration;
using Maplog.Events;
using Maplog.Hooking;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Replicas;
using Maplog.Snapshots;
using Maplog.Walking;
using Microsoft.Extensions.Logging;

namespace Maplog.Capture;

/// <summary>One term as the source's writer: attaches the hook, takes up what the log knows, and runs the session.</summary>
internal sealed class CaptureTerm(
    CaptureOptions options, NodeOptions node, IReadOnlyList<WatchedTarget> targets, LogStore store, HostRegistries replicators, LinearWalks walks, BatchFeed feed, CaptureMetrics metrics, CaptureHealth health, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan CatchUpWithin = TimeSpan.FromSeconds(30), StopWithin = TimeSpan.FromSeconds(10);

    private static readonly IReadOnlyDictionary<StreamName, long> Nothing = new Dictionary<StreamName, long>();

    private readonly LogReader _reader = new(store);
    // What the log lost in the term before, until this one has told it.
    private IReadOnlyDictionary<StreamName, long> _lost = Nothing;
    // Since when nothing was hooked, if the term before lost its hook.
    private long? _unhookedSince;

    private string PinFolder => Path.Combine(options.PinRoot, options.Source);

    /// <summary>Attaches the hook and lets it go again: better to know now that it cannot be than at the promotion.</summary>
    /// <exception cref="KernelException">No probe works here.</exception>
    public void TryHook() => Attach(pinFolder: null).Dispose();

    /// <param name="lease">The right to write the source.</param>
    /// <param name="ownership">The pinned hook; null: the hook ends with the daemon.</param>
    /// <param name="stopping">Ends the term.</param>
    /// <returns>Why it is over.</returns>
    public async Task<TermEnd> RunAsync(HeldLease lease, HookOwnership? ownership, CancellationToken stopping)
    {
        if (ownership is not null)
            await ownership.TakeAsync(log, stopping);
        var streams = await _reader.ListStreamsAsync(options.Source, stopping);
        var writer = await LogWriter.OpenAsync(store, options.Source, stopping); // after them: what came between them collides
        await ForgetOthersPastAsync(streams, stopping);
        health.Waits("the capture attaches its hook and reads the known content from the log.");
        ownership?.Sign(lease.Epoch);
        using var hook = Attach(options.StayAttached ? PinFolder : null);
        using var heads = ownership is null ? null : CommittedHeads.Open(PinFolder);
        using var shown = metrics.Show(hook.Ring);
        var sink = new EventSink(new KernelClock(time), lease.Epoch, metrics);
        var registry = new MapRegistry(options.Source, node.Name, targets, replicators, hook, sink, feed, log)
        {
            UnhookedSince = _unhookedSince,
            Rules = options.Rules,
        };
        var committer = new Committer(store, writer, _reader, lease, metrics, health, time, log);
        using var walker = new Walker(registry, walks, options.Walks, log);
        using var session = new CaptureSession(hook, registry, sink, committer, feed, walker, options, time, log)
        {
            Watch = ownership is null ? null : new HookWatch(hook, ownership.Claim, registry),
            Heads = heads is null ? null : new HeadKeeper(heads, log),
        };
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stopping, lease.Over);
        var (lost, unhookedSince) = (_lost, _unhookedSince);
        try
        {
            Announce(hook, lease.Epoch); // what is made from here on is caught from its first change
            var replicas = new OwnReplicas(targets, replicators);
            await TakeUpAsync(streams, FindLost(streams, heads), replicas, lease.FollowsWhole, hook, sink, registry, over.Token);
            await GiveBackAsync();
            foreach (var missing in registry.Missing())
                log.NoSuchMap(missing);
            health.Captures(() => registry.Troubles);
            lease.Tell(() => options.WaitingIsReady ? registry.Troubles.Pins : [.. registry.Troubles.Pins, .. registry.Troubles.Waiting]);
            (_lost, _unhookedSince) = (Nothing, null);
            try
            {
                await RunAsync(session, committer, registry, over.Token);
            }
            catch (HookLostException e)
            {
                return await LostHookAsync(e, ownership!.Claim, session, stopping);
            }
            return await EndAsync(lease, hook, session, committer, stopping);
        }
        catch (DeposedException e)
        {
            return Deposed(hook, e);
        }
        catch (OperationCanceledException) when (lease.IsLost && !stopping.IsCancellationRequested)
        {
            return Deposed(hook, await committer.DeposedAsync(0, stopping));
        }
        catch (OperationCanceledException) when (lease.Successor is not null && !stopping.IsCancellationRequested)
        {
            // It had hardly begun.
            return GaveWay(lease, isWhole: false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // While it took up what the log knows.
            log.Stopped(committer.Committed, hook.Ring.ProducerPosition - hook.Ring.ConsumerPosition);
            return TermEnd.Stopped;
        }
        catch (VersionTakenException) when (committer.Committed == 0)
        {
            (_lost, _unhookedSince) = (lost, unhookedSince);
            return TermEnd.TooEarly;
        }
        catch (CommitsLostException e)
        {
            log.CommitsLost(e.Message);
            _lost = e.Lost;
            return TermEnd.CommitsLost;
        }
    }

    // What the writer keeps beside the events, behind the head: snapshots, the index of keys, records of what is pruned.
    private async Task RunAsync(CaptureSession session, Committer committer, MapRegistry registry, CancellationToken over)
    {
        var keeper = new LogKeeper(store, options, () => committer.Committed, registry.Ask, time, log);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(over);
        var keeping = keeper.RunAsync(ended.Token);
        try
        {
            await session.RunAsync(over);
        }
        finally
        {
            await ended.CancelAsync();
            await keeping;
        }
    }

    private async Task<TermEnd> EndAsync(HeldLease lease, CaptureHook hook, CaptureSession session, Committer committer, CancellationToken stopping)
    {
        if (lease.Successor is null)
        {
            await session.StopAsync(isLast: false, StopWithin, unpin: null, CancellationToken.None);
            return lease.IsLost ? Deposed(hook, await committer.DeposedAsync(0, CancellationToken.None)) : TermEnd.Stopped;
        }
        // As long as it takes: the successor waits for the lease. The ring stays pinned until it is logged.
        return GaveWay(lease, await session.StopAsync(isLast: true, stopping.IsCancellationRequested ? StopWithin : Timeout.InfiniteTimeSpan, () => CaptureHook.DetachPrograms(PinFolder), stopping));
    }

    private TermEnd GaveWay(HeldLease lease, bool isWhole)
    {
        CaptureHook.Detach(PinFolder);
        lease.IsWhole = isWhole;
        if (isWhole)
            log.GaveWay(options.Source, lease.Successor!);
        else
            log.GaveWayInPart(options.Source, lease.Successor!);
        return TermEnd.GaveWay;
    }

    // What it records from now on is no history of this source; unless another daemon of this node has taken the hook over.
    private TermEnd Deposed(CaptureHook hook, DeposedException why)
    {
        if (why.Node != node.Name)
            CaptureHook.Detach(PinFolder);
        log.Fatal($"{why.Message} {hook.Ring.ProducerPosition - hook.Ring.ConsumerPosition} bytes of the hook's records are dropped.");
        return TermEnd.Deposed;
    }

    // What it had recorded until then is logged; unless another capture has the hook, to which its records belong now.
    private async Task<TermEnd> LostHookAsync(HookLostException lost, HookClaim claim, CaptureSession session, CancellationToken stopping)
    {
        log.HookLost(lost.Message);
        health.Waits($"{lost.Message} The capture attaches its hook again.");
        _unhookedSince = lost.SoundAt;
        var isOwn = claim.MayUnpin;
        var within = isOwn && !stopping.IsCancellationRequested ? Timeout.InfiniteTimeSpan : StopWithin;
        await session.StopAsync(isLast: isOwn, within, isOwn ? () => CaptureHook.DetachPrograms(PinFolder) : null, stopping);
        if (isOwn)
            CaptureHook.Detach(PinFolder);
        return TermEnd.HookLost;
    }

    // A hook that stayed while another node wrote the source has recorded what that one's log is not about.
    private async Task ForgetOthersPastAsync(IReadOnlyList<StreamSummary> streams, CancellationToken stopping)
    {
        LoggedNote<EpochStarted>? latest = null;
        foreach (var stream in streams)
        {
            if (await _reader.ReadLatestAsync<EpochStarted>(stream.Stream, stopping) is { } term && (latest is null || term.Note.Epoch > latest.Note.Epoch))
                latest = term;
        }
        if (latest is not null && latest.Note.Node != node.Name && CaptureHook.Detach(PinFolder).Count > 0)
            log.ForgotPast(options.Source, latest.Note.Node, latest.Note.Epoch);
    }

    private CaptureHook Attach(string? pinFolder)
    {
        var names = targets.Where(t => t.Name is not null).Select(t => t.Name!).ToList();
        var hook = CaptureHook.Attach(new HookOptions
        {
            Probe = options.ForcedProbe,
            RingBytes = options.RingBytes,
            Names = names,
            PinFolder = pinFolder,
            WritersPin = WriterRegistry.WritersPin(options.PinRoot),
        });
        if (hook.IsResumed)
            hook.SetNames(names);
        return hook;
    }

    private void Announce(CaptureHook hook, Epoch epoch)
    {
        log.Started(options.Source, node.Name, epoch.Value, hook.Probe.Name(), hook.IsResumed ? ", taken over from an earlier run" : "");
        foreach (var trial in hook.Refused)
            log.ProbeRefused(trial.ToString());
        foreach (var missing in hook.Hooks.Where(h => !h.IsAttached))
            log.NotHooked(missing.Function, missing.Failure!);
        foreach (var sentence in Coverage.Summary(hook.Probe))
        {
            if (Coverage.IsBlindness(sentence))
                log.Blind(sentence);
            else
                log.Unseen(sentence);
        }
    }

    private Dictionary<string, long> FindLost(IReadOnlyList<StreamSummary> streams, CommittedHeads? heads)
    {
        var found = heads is null ? [] : LostEvents.Find(streams, heads.Read());
        if (found.Count > 0 && _lost.Count == 0)
        {
            var names = string.Join(", ", found.Keys.Order().Select(map => $"{options.Source}/{map}"));
            log.LogEndsEarly(store.FullPlace, found.Values.Sum(), names);
        }
        return found.With(_lost);
    }

    // A new term begins in every stream of the source, whether its map is still there or not.
    private async Task TakeUpAsync(
        IReadOnlyList<StreamSummary> streams, Dictionary<string, long> lost, OwnReplicas replicas, bool isWhole,
        CaptureHook hook, EventSink sink, MapRegistry registry, CancellationToken stopping)
    {
        var history = new StreamHistory(store, log.SnapshotDamaged);
        foreach (var summary in streams)
        {
            var replica = await FindReplicaAsync(summary, replicas, stopping);
            var stream = new CapturedStream(summary.Stream);
            stream.Resume(summary.Head.Version, summary.Head.Time, await SealTail.ReadAsync(_reader, summary.Head, stopping));
            await SkipLoggedAsync(hook, stream, stopping);
            sink.Note(stream, new EpochStarted(sink.Epoch.Value, node.Name, Boot.Id, hook.RingId, stream.LoggedPosition, stream.LoggedIndex, sink.Now), hook.IsResumed ? 0 : KernelClock.Now);
            if (lost.Remove(summary.Stream.Map, out var events))
                registry.NoteCut(stream, events);
            // Only a map of this boot can go on; the content of another is no longer needed.
            if (replica is { } promoted)
                registry.Adopt(stream, await history.ReadAsync(summary.Stream, cancellation: stopping), promoted, isWhole);
            else if (await EndedWithItsBootAsync(summary, stopping))
                registry.CloseAfterReboot(stream, summary.Opened!);
            else
                registry.TakeUp(stream, summary.Opened is { } opened && opened.BootId == Boot.Id ? await history.ReadAsync(summary.Stream, cancellation: stopping) : null);
        }
        foreach (var (name, events) in lost)
            registry.BeginAgain(name, events);
    }

    // The folds of the log have become what is known of the maps, and would hold as much memory again until the next collection of everything.
    private static async Task GiveBackAsync()
    {
        await Task.Yield(); // What read them is still below us on the stack.
        new Heap().GiveBack();
    }

    /// <summary>Whether the stream's map was one of this node, and nobody has closed it since.</summary>
    private async Task<bool> EndedWithItsBootAsync(StreamSummary stream, CancellationToken stopping)
    {
        if (stream.Opened is not { } last || last.BootId == Boot.Id || last.Node != node.Name)
            return false;
        var opened = await _reader.ReadLatestAsync<MapOpened>(stream.Stream, stopping);
        var closed = await _reader.ReadLatestAsync<MapClosed>(stream.Stream, stopping);
        return opened is not null && (closed is null || closed.Version < opened.Version);
    }

    /// <summary>A map of this node that was kept as a replica of the stream, and is the stream's map from now on. It must have all that the log has.</summary>
    private async Task<MapInfo?> FindReplicaAsync(StreamSummary stream, OwnReplicas replicas, CancellationToken stopping)
    {
        if (stream.Opened is not { } opened || stream.Head.Kind == EventKind.MapClosed || opened.BootId == Boot.Id && opened.Node == node.Name)
            return null;
        if (replicas.Find(stream.Stream, opened.Shape) is not { } replica)
            return null;
        for (var began = time.GetTimestamp(); ;)
        {
            var cursor = OwnReplicas.VersionOf(replica, stream.Stream);
            if (cursor >= stream.Head.Version)
                return replica;
            if (time.GetElapsedTime(began) > CatchUpWithin)
                throw new LogException($"Map {replica.Name} (id {replica.Id}) of this node is the replica of {stream.Stream}, but at version {cursor} of {stream.Head.Version}: if this daemon wrote now, the later changes would be lost. Start the replicator, let the replica catch up, and start this daemon again.");
            await Task.Delay(TimeSpan.FromMilliseconds(100), time, stopping);
        }
    }

    private async Task SkipLoggedAsync(CaptureHook hook, CapturedStream stream, CancellationToken stopping)
    {
        var term = await _reader.ReadLatestAsync<EpochStarted>(stream.Name, stopping);
        if (term is null || term.Note.RingId != hook.RingId || term.Note.BootId != Boot.Id)
            return;
        var last = await _reader.ReadLastRecordAsync(stream.Name, term.Version, stopping);
        if (last is { } record)
            stream.SkipUpTo(record.Header.RingPosition, record.Header.RecordIndex, record.Header.KernelTime);
        else
            stream.SkipUpTo(term.Note.LoggedPosition, term.Note.LoggedIndex, 0);
    }
}
