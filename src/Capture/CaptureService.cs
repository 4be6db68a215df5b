using Maplog.Bus;
using Maplog.Capture.Observing;
using Maplog.Capture.Pipeline;
using Maplog.Capture.Terms;
using Maplog.Capture.Watching;
using Maplog.Configuration;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Replicas;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Maplog.Capture;

/// <summary>The daemon: waits until this node is the source's writer, and writes it for a term; again, if it stands by.</summary>
internal sealed class CaptureService(
    CaptureOptions options, NodeOptions node, LogStore store, BusPublisher bus, BatchFeed feed, CaptureMetrics metrics, CaptureHealth health, DaemonExit exit, IHostApplicationLifetime host, TimeProvider time, ILogger<CaptureService> log) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The host would wait for the first await otherwise.
        await Task.Yield();
        try
        {
            await RunAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        catch (Exception e) when (e is KernelException or LogException or BusRefusedException or ReplicaException or InvalidDataException)
        {
            log.Fatal(e.Message);
            exit.Code = DaemonExit.Failed;
        }
        catch
        {
            exit.Code = DaemonExit.Failed;
            throw;
        }
        host.StopApplication();
    }

    private async Task RunAsync(CancellationToken stopping)
    {
        // Before the servers, which may be waited for: what this process may not do in the kernel is told at once.
        using var replicators = WriterRegistry.Open(options.PinRoot);
        if (MountView.WhyUnseen(options.PinRoot) is { } unseen)
            log.PinsUnseen(unseen);
        await CheckLogAsync(stopping);
        var targets = options.Watch.Select(WatchedTarget.Parse).ToList();
        var term = new CaptureTerm(options, node, targets, store, replicators, feed, metrics, health, time, log);
        if (options.Standby)
            term.TryHook();
        await bus.StartAsync(stopping);
        var turn = new WriterTurn(options, node, store, new OwnReplicas(targets, replicators), time, log);
        while (true)
        {
            health.Waits("it waits for its turn as the writer: another has the source.");
            var end = await RunTermAsync(term, turn, stopping);
            feed.EndTerm();
            if (end == TermEnd.LogAway)
                await Task.Delay(Pause, time, stopping);
            if (end == TermEnd.Stopped || end == TermEnd.GaveWay && !options.Standby && await turn.IsSucceededAsync(stopping))
                return;
            if (end == TermEnd.Deposed && !options.Standby)
            {
                exit.Code = DaemonExit.Failed;
                return;
            }
        }
    }

    private async Task<TermEnd> RunTermAsync(CaptureTerm term, WriterTurn turn, CancellationToken stopping)
    {
        await using var lease = await turn.AwaitAsync(stopping);
        try
        {
            return await term.RunAsync(lease, stopping);
        }
        catch (LogException e) when (e.IsTransient)
        {
            // While it read what the log knows; what it has read of the ring is in the ring still.
            log.WaitingForLog(e.Message);
            return TermEnd.LogAway;
        }
    }

    /// <summary>A server that is away may come back; a schema that is missing, or a login that is refused, is for an operator.</summary>
    private async Task CheckLogAsync(CancellationToken stopping)
    {
        for (string? said = null; ;)
        {
            try
            {
                var check = await new LogSchema(store).CheckAsync(stopping);
                if (check.State != SchemaState.Current)
                    throw new LogException(check.Sentence);
                await LogWriter.OpenAsync(store, options.Source, stopping); // the log knows the source
                return;
            }
            catch (LogException e) when (e.IsTransient)
            {
                if (said != e.Message)
                    log.WaitingForLog(said = e.Message);
                health.Waits(e.Message);
                await Task.Delay(Pause, time, stopping);
            }
        }
    }
}
