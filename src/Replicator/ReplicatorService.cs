using Maplog.Configuration;
using Maplog.Events;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Replicas;
using Maplog.Replicator.Following;
using Maplog.Replicator.Observing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Maplog.Replicator;

/// <summary>The daemon: registers as a writer that no capture logs, keeps all replicas, and ends when none is left.</summary>
internal sealed class ReplicatorService(
    ReplicatorOptions options, LogStore store, IBusFeed bus, ReplicaBoard board, DaemonExit exit, IHostApplicationLifetime host, TimeProvider time, ILogger<ReplicatorService> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The host would wait for the first await otherwise.
        await Task.Yield();
        try
        {
            // Before the log, which may be waited for: what this process may not do in the kernel is told at once.
            using var registry = WriterRegistry.Open(options.RegistryFolder);
            registry.Register();
            await CheckSchemaAsync(stoppingToken);
            if (!ProcessIdentity.InInitialNamespace)
                log.OtherNamespace();
            if (!await KeepAsync(registry, stoppingToken))
                exit.Code = DaemonExit.Failed;
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        catch (Exception e) when (e is KernelException or ReplicaException or LogException)
        {
            log.Failed(e.Message);
            exit.Code = DaemonExit.Failed;
        }
        catch
        {
            exit.Code = DaemonExit.Failed;
            throw;
        }
        host.StopApplication();
    }

    /// <summary>A server that is away may come back; a schema that is missing, or a login that is refused, is for an operator.</summary>
    private async Task CheckSchemaAsync(CancellationToken stopping)
    {
        for (string? said = null; ;)
        {
            try
            {
                var check = await new LogSchema(store).CheckAsync(stopping);
                if (check.State != SchemaState.Current)
                    throw new LogException(check.Sentence);
                return;
            }
            catch (LogException e) when (e.IsTransient)
            {
                if (said != e.Message)
                    log.WaitingForLog(said = e.Message);
                await Task.Delay(TimeSpan.FromSeconds(2), time, stopping);
            }
        }
    }

    /// <returns>False: a replica could not be kept.</returns>
    private async Task<bool> KeepAsync(WriterRegistry registry, CancellationToken stopping)
    {
        if (bus is SilentBus)
            log.NoBus();
        await using var heads = new HeadWatch(store, time);
        var kept = await Task.WhenAll(options.Replicas.Zip(board.Replicas).Select(r => Task.Run(() => KeepAsync(r.First, r.Second, heads, registry, stopping), CancellationToken.None)));
        return kept.All(k => k);
    }

    private async Task<bool> KeepAsync(ReplicaOptions replica, ReplicaStatus status, HeadWatch heads, WriterRegistry registry, CancellationToken stopping)
    {
        var stream = options.StreamOf(replica);
        var inbox = new ReplicaInbox();
        var worker = new ReplicaWorker(stream, replica, inbox, store, heads, registry, new ReplicaReport(log, status), options.CheckEvery, time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var hearing = HearAsync(stream, replica.Pin, inbox, ended.Token);
        try
        {
            return await worker.RunAsync(stopping);
        }
        catch
        {
            // Not foreseen: better all replicas stop, and are started again, than one is dead among them.
            host.StopApplication();
            throw;
        }
        finally
        {
            await ended.CancelAsync();
            await hearing;
        }
    }

    private async Task HearAsync(StreamName stream, string pin, ReplicaInbox inbox, CancellationToken ended)
    {
        try
        {
            await bus.RunAsync(stream, pin, inbox, ended);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            log.BusFailed(stream, e);
        }
    }
}
