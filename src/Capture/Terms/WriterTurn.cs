using Maplog.Capture.Observing;
using Maplog.Capture.Watching;
using Maplog.Configuration;
using Maplog.Events;
using Maplog.Log;
using Microsoft.Extensions.Logging;

namespace Maplog.Capture.Terms;

/// <summary>Waits until this node may write its source. One that does not stand by is refused at once if another node has it.</summary>
internal sealed class WriterTurn(CaptureOptions options, NodeOptions node, LogStore store, OwnReplicas replicas, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1), ShortPause = TimeSpan.FromMilliseconds(200), Grace = TimeSpan.FromSeconds(2);

    private readonly WriterLease _lease = new(store, options.Source);
    private readonly LogReader _reader = new(store);

    /// <param name="ownership">The pinned hook, which another daemon may have while it writes the source. Null: there is none.</param>
    /// <param name="wait">How to wait for the log.</param>
    /// <param name="health">Hears for what it waits.</param>
    /// <param name="stopping">Ends the waiting.</param>
    /// <exception cref="LogException">Another has the source, and this daemon does not stand by.</exception>
    public async Task<HeldLease> AwaitAsync(HookOwnership? ownership, LogWait wait, CaptureHealth health, CancellationToken stopping)
    {
        var began = time.GetTimestamp();
        string? said = null;
        try
        {
            while (true)
            {
                var pause = Pause;
                try
                {
                    var row = await _lease.ReadAsync(stopping);
                    if (await TryAsync(row, ownership?.LatestEpoch ?? default, stopping) is { } held)
                        return held;
                    row = await _lease.ReadAsync(stopping) ?? row;
                    wait.Over();
                    health.Waits("the capture waits until it may write: another capture writes the source.");
                    if (row is { IsHeld: true })
                        ownership?.LetGo();
                    if (!options.Standby)
                        await RefuseAsync(row, time.GetElapsedTime(began));
                    else if (row is not null && said != $"{row.Node} {row.Successor}")
                        Say(row, out said);
                    if (row?.Successor == node.Name)
                        pause = ShortPause;
                }
                catch (LogException e) when (e.MayPass)
                {
                    await wait.AfterAsync(e, stopping);
                    continue;
                }
                await Task.Delay(pause, time, stopping);
            }
        }
        finally
        {
            await LeaveAsync();
        }
    }

    private void Say(WriterRow row, out string said)
    {
        said = $"{row.Node} {row.Successor}";
        if (row.Node != node.Name)
            log.StandingBy(options.Source, row.Node, row.Epoch.Value, row.IsHeld ? "" : ", which has stopped");
        else if (row.Successor is { } successor && !row.IsHeld)
            log.StandingByForSuccessor(options.Source, successor);
        else
            log.StandingByOwn(options.Source, row.Epoch.Value);
    }

    /// <param name="row">The lease.</param>
    /// <param name="begun">The latest term that the hook knows of; a log that was restored may have forgotten it, and replicas not.</param>
    /// <param name="stopping">Ends the asking.</param>
    private async Task<HeldLease?> TryAsync(WriterRow? row, Epoch begun, CancellationToken stopping)
    {
        var latest = await _reader.ReadLatestEpochAsync(options.Source, stopping);
        if (latest < begun)
            latest = begun;
        // A term of this very daemon that is over, but could not give the lease back while the log was away, is as dead as another daemon's.
        var dead = row?.Holder is { } holder && row.Node == node.Name && (holder == HolderName.Own || HolderName.StateOf(holder) == HolderState.Dead)
            ? holder
            : null;
        var epoch = await _lease.TryTakeAsync(node.Name, HolderName.Own, dead, latest, stopping);
        if (epoch is null && options.Standby)
        {
            var local = await LocalReplicas.MeasureAsync(_reader, replicas, options.Source, node.Name, stopping);
            // The head stands still once the writer has given way.
            if (row is { IsHeld: false } && row.Successor == node.Name && local.AreLevel)
                epoch = await _lease.TrySucceedAsync(node.Name, HolderName.Own, latest, stopping);
            if (epoch is null)
                await _lease.TellAsync(node.Name, HolderName.Own, local.Behind, local.Problem, stopping);
        }
        return epoch is { } own ? new HeldLease(_lease, node.Name, own, row is null || row.IsWhole, time) : null;
    }

    /// <summary>After it gave way: until the successor writes, or will not.</summary>
    /// <returns>False: the promotion came to nothing, and the source is this node's as before.</returns>
    public async Task<bool> IsSucceededAsync(CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                var row = await _lease.ReadAsync(stopping);
                if (row is null || row.Node != node.Name)
                    return true;
                if (row.Successor is null)
                    return false;
            }
            catch (LogException e) when (e.MayPass)
            {
                // It comes back.
            }
            await Task.Delay(Pause, time, stopping);
        }
    }

    private Task RefuseAsync(WriterRow? row, TimeSpan waited)
    {
        if (row is null)
            return Task.CompletedTask;
        if (row.Node != node.Name)
        {
            throw new LogException(
                $"Node {row.Node} writes source {options.Source}, and this is node {node.Name}. `maplog promote {options.Source} --node {node.Name}` makes this node its writer; --standby true waits for the promotion. If this is the same node with another name, give the right name with --node.");
        }
        var state = row.Holder is null ? HolderState.Dead : HolderName.StateOf(row.Holder);
        // In another container nobody can be asked: a daemon that lives renews its lease.
        if (row.IsHeld && (state == HolderState.Alive || waited > WriterLease.Term + Grace))
            throw new LogException($"Source {options.Source} has a writer already: only one daemon can capture a source at a time. Stop the other daemon, or give this one another source.");
        return Task.CompletedTask;
    }

    private async Task LeaveAsync()
    {
        if (!options.Standby)
            return;
        try
        {
            using var patience = new CancellationTokenSource(Grace, time);
            await _lease.LeaveAsync(node.Name, HolderName.Own, patience.Token);
        }
        catch (Exception e) when (e is LogException or OperationCanceledException)
        {
            // It is seen to be silent.
        }
    }
}
