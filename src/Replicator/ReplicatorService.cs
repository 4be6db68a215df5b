using Maplog.Configuration;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Replicas;
using Maplog.Replicator.Following;
using Maplog.Replicator.Observing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Maplog.Replicator;

/// <summary>
/// The daemon: registers as a writer whose writes no capture logs, maintains all replicas, and ends when no replica is left.
/// </summary>
internal sealed class ReplicatorService(
    ReplicatorOptions options, LogStore store, IBusFeed bus, ReplicaBoard board, DaemonExit exit, IHostApplicationLifetime host, TimeProvider time, ILogger<ReplicatorService> log) : BackgroundService
{
    private const long InboxBytes = 256 << 20; // of all of them, if each had to wait

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Otherwise the host would wait for the first await.
        await Task.Yield();
        try
        {
            // Before the log, because the daemon may wait for the log: missing rights in the kernel are reported at once.
            if (!ArePinsPossible())
            {
                exit.Code = DaemonExit.Failed;
                host.StopApplication();
                return;
            }
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

    /// <summary>Whether the kernel can pin a map at each of the paths; reports the paths at which it cannot, and why.</summary>
    private bool ArePinsPossible()
    {
        var mistakes = new List<string>();
        foreach (var pin in options.Replicas.Select(r => Path.GetFullPath(r.Pin)))
        {
            try
            {
                Bpffs.EnsureMounted(Path.GetDirectoryName(pin)!);
                if (Directory.Exists(pin))
                    mistakes.Add($"The replica's pin {pin} is a folder: choose another name, for example {pin}/map.");
            }
            catch (KernelException e)
            {
                mistakes.Add($"The replica's pin {pin} cannot be used. {e.Message}");
            }
        }
        foreach (var mistake in mistakes)
            log.Failed(mistake);
        if (mistakes.Count == 0 && MountView.WhyUnseen(Path.GetDirectoryName(Path.GetFullPath(options.Replicas[0].Pin))!) is { } unseen)
            log.Unseen(unseen);
        return mistakes.Count == 0;
    }

    /// <summary>
    /// Waits for a log that does not answer or refuses the login, because an administrator can fix this while the daemon runs. If the log
    /// answers without a schema, or with another one, the daemon ends: somebody left out a command before its first start.
    /// </summary>
    private async Task CheckSchemaAsync(CancellationToken stopping)
    {
        var wait = new LogWait(log.WaitingForLog, time);
        while (true)
        {
            try
            {
                var check = await new LogSchema(store).CheckAsync(stopping);
                if (check.State != SchemaState.Current)
                    throw new LogException(check.Sentence);
                return;
            }
            catch (LogException e) when (e.MayPass)
            {
                await wait.AfterAsync(e, stopping);
            }
        }
    }

    /// <returns>False: a replica could not be maintained.</returns>
    private async Task<bool> KeepAsync(WriterRegistry registry, CancellationToken stopping)
    {
        if (bus is SilentBus)
            log.NoBus();
        await using var heads = new HeadWatch(store, time);
        await using var pins = new PinWatch(registry, time, log);
        var shared = new ReplicaHost(store, heads, pins, registry, options.CheckEvery, time);
        var room = Math.Clamp(InboxBytes / options.Replicas.Count, 1 << 20, ReplicaInbox.MostBytes);
        var listeners = options.Replicas.ConvertAll(r => new Listener(options.StreamOf(r), r.Pin, new ReplicaInbox(room)));
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var hearing = listeners.GroupBy(l => l.Stream.Source).Select(s => HearAsync(s.Key, [.. s], ended.Token)).ToList();
        try
        {
            var keeping = options.Replicas.Select((replica, i) => Task.Run(() => KeepAsync(replica, listeners[i], board.Replicas[i], shared, stopping), CancellationToken.None));
            return (await Task.WhenAll(keeping)).All(k => k);
        }
        finally
        {
            await ended.CancelAsync();
            await Task.WhenAll(hearing);
        }
    }

    private async Task<bool> KeepAsync(ReplicaOptions replica, Listener listener, ReplicaStatus status, ReplicaHost shared, CancellationToken stopping)
    {
        var worker = new ReplicaWorker(listener.Stream, replica, listener.Inbox, new ReplicaReport(log, status), shared);
        try
        {
            return await worker.RunAsync(stopping);
        }
        catch
        {
            // An unforeseen error. It is better to stop and restart all replicas than to have one dead replica among them.
            host.StopApplication();
            throw;
        }
    }

    private async Task HearAsync(string source, IReadOnlyList<Listener> replicas, CancellationToken ended)
    {
        try
        {
            await bus.RunAsync(source, replicas, ended);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            log.BusFailed(source, e);
        }
    }
}
