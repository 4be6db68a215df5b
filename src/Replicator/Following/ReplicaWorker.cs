using Maplog.Events;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Replicas;

namespace Maplog.Replicator.Following;

/// <summary>Keeps one replica: waits for its stream, opens or makes its map, and begins anew when the source's map has another shape.</summary>
internal sealed class ReplicaWorker(StreamName stream, ReplicaOptions options, ReplicaInbox inbox, LogStore log, HeadWatch heads, WriterRegistry registry, ReplicaReport report, TimeSpan checkEvery, TimeProvider time)
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(2);

    /// <returns>False: it cannot be kept, and it said why.</returns>
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
        var rebuild = false;
        for (uint last = 0; ;)
        {
            var opened = await WaitForStreamAsync(stopping);
            using var replica = ReplicaMap.Open(options.Pin, stream, opened, registry, replace: options.OnNewShape == NewShape.Recreate);
            if (last != 0 && last != replica.Map.Info.Id)
            {
                registry.RemoveReplica(last);
                report.Replacing();
            }
            last = replica.Map.Info.Id;
            report.Opened(last, replica.Cursor);
            try
            {
                await new ReplicaSession(replica, log, heads, inbox, report, checkEvery, time).RunAsync(rebuild, stopping);
            }
            finally
            {
                if (stopping.IsCancellationRequested)
                    report.Stopped(replica.Cursor);
            }
            // The log had another shape on the way, or this map was the source's. If the latest is ours to keep, only its present life matters.
            rebuild = true;
        }
    }

    private async Task<MapOpened> WaitForStreamAsync(CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                var opened = await new LogReader(log).ReadGenerationAsync(stream, stopping);
                if (opened is not null && !ReplicaMap.IsSource(options.Pin, opened.Map))
                    return opened.Map;
                if (opened is not null)
                {
                    ReplicaMap.NoteSource(options.Pin, stream);
                    report.IsSource();
                }
                else
                    report.Waiting("The log has no such stream yet, or no map was opened in it: is its source captured under this name?");
            }
            catch (LogException e)
            {
                report.Waiting(e.Message);
            }
            while (inbox.TryTake(out _))
            {
                // What the bus brought meanwhile is in the log.
            }
            await Task.Delay(Retry, time, stopping);
        }
    }
}
