using Maplog.Events;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Replicas;

namespace Maplog.Replicator.Following;

/// <summary>
/// Maintains one replica: waits for its stream, opens or creates its map, and begins again when the source's map has another shape or the
/// pin leads to another map. At a start an unusable pin ends the replica, because only other settings help. Later the replica waits until
/// the pin is usable again, because another program has changed it.
/// </summary>
internal sealed class ReplicaWorker(StreamName stream, ReplicaOptions options, ReplicaInbox inbox, ReplicaReport report, ReplicaHost host)
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(2);

    private readonly StreamSearch _search = new(host.Log, stream);

    /// <returns>False: the replica cannot be maintained, and the reason was reported.</returns>
    public async Task<bool> RunAsync(CancellationToken stopping)
    {
        try
        {
            await KeepAsync(stopping);
            return true;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return true;
        }
        catch (Exception e) when (e is ReplicaException or KernelException or FormatException)
        {
            report.Ended(e.Message);
            return false;
        }
        finally
        {
            inbox.Close();
        }
    }

    private async Task KeepAsync(CancellationToken stopping)
    {
        string? lost = null;
        for (uint last = 0; ;)
        {
            // After another shape, or after this map was the source's map, only the present generation matters.
            var rebuild = last != 0 && lost is null;
            using var replica = await OpenAsync(lost, rebuild, stopping);
            var info = replica.Map.Info;
            // The previous map stays registered while it lives: a former replica is not a source.
            if (last != 0 && last != info.Id)
                report.Replacing(lost is null ? "The source's map was created again." : "The pin led to another map.");
            report.Opened(info.Id, replica.Cursor);
            if (!ReplicaShape.Fits(info, replica.Shape))
                report.OtherKind(info, replica.Shape);
            last = info.Id;
            lost = await FollowAsync(replica, rebuild, stopping);
        }
    }

    /// <returns>A sentence about the target of its pin; null: the stream continues in another map.</returns>
    private async Task<string?> FollowAsync(ReplicaMap replica, bool rebuild, CancellationToken stopping)
    {
        using var life = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        using var pins = host.Pins.Watch(replica, life);
        try
        {
            await new ReplicaSession(replica, inbox, report, host).RunAsync(rebuild, life.Token);
            return null;
        }
        catch (OperationCanceledException) when (pins.Lost is not null && !stopping.IsCancellationRequested)
        {
            replica.Forget();
            report.Lost(replica.Map.Info.Id, pins.Lost);
            return pins.Lost;
        }
        finally
        {
            if (stopping.IsCancellationRequested)
                report.Stopped(replica.Cursor);
        }
    }

    private async Task<ReplicaMap> OpenAsync(string? lost, bool rebuild, CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                var opened = await WaitForStreamAsync(stopping);
                return ReplicaMap.Open(options.Pin, stream, opened, host.Registry, replace: options.OnNewShape == NewShape.Recreate, renew: rebuild);
            }
            catch (Exception e) when (lost is not null && e is ReplicaException or KernelException)
            {
                report.Waiting($"{lost} {e.Message} The replica waits until the pin is free or leads to a map that can be the replica.");
            }
            await Task.Delay(Retry, host.Time, stopping);
        }
    }

    private async Task<MapOpened> WaitForStreamAsync(CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                var opened = await new LogReader(host.Log).ReadGenerationAsync(stream, stopping);
                if (opened is not null && !ReplicaMap.IsSource(options.Pin, opened.Map))
                    return opened.Map;
                if (opened is not null)
                {
                    ReplicaMap.NoteSource(options.Pin, stream);
                    report.IsSource();
                }
                else
                    report.Waiting(await _search.WhyMissingAsync(stopping));
            }
            catch (LogException e)
            {
                report.Waiting(e.Message);
            }
            while (inbox.TryTake(out _))
            {
                // The events that the bus delivered meanwhile are in the log.
            }
            await Task.Delay(Retry, host.Time, stopping);
        }
    }
}
