using Maplog.Bus;
using Maplog.Capture.Observing;
using Maplog.Capture.Pipeline;
using Maplog.Capture.Terms;
using Maplog.Capture.Watching;
using Maplog.Configuration;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Replicas;
using Maplog.Walking;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Maplog.Capture;

/// <summary>The daemon: waits until this node is the source's writer, and writes it for a term; again, if it stands by.</summary>
internal sealed class CaptureService(
    CaptureOptions options, NodeOptions node, LogStore store, BusPublisher bus, BatchFeed feed, CaptureMetrics metrics, CaptureHealth health, DaemonExit exit, IHostApplicationLifetime host, TimeProvider time, ILogger<CaptureService> log) : BackgroundService
{
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
        catch (Exception e) when (e is KernelException or LogException or ReplicaException or InvalidDataException)
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
        using var registry = WriterRegistry.Open(options.PinRoot);
        var replicators = new HostRegistries(registry);
        if (MountView.WhyUnseen(options.PinRoot) is { } unseen)
            log.PinsUnseen(unseen);
        var wait = new LogWait(WaitForLog, time);
        var begin = new LogWait(WaitForLog, time); // of terms: while one cannot begin, the log may well answer who writes
        using var ownership = options.StayAttached ? new HookOwnership(options.Source, options.PinRoot, node.Name, time) : null;
        ownership?.HoldIfOf(store.FullPlace);
        var identity = await CheckLogAsync(wait, stopping);
        ownership?.Serve(identity);
        var targets = options.Watch.Select(WatchedTarget.Parse).ToList();
        using var walks = new LinearWalks();
        var term = new CaptureTerm(options, node, targets, store, replicators, walks, feed, metrics, health, time, log);
        if (options.Standby)
            term.TryHook();
        await bus.StartAsync(stopping);
        var turn = new WriterTurn(options, node, store, new OwnReplicas(targets, replicators), time, log);
        while (true)
        {
            var (end, away) = await RunTermAsync(term, turn, ownership, wait, stopping);
            feed.EndTerm();
            if (away is not null)
                await begin.AfterAsync(away, stopping);
            else
                begin.Over();
            if (end == TermEnd.Stopped || end == TermEnd.GaveWay && !options.Standby && await turn.IsSucceededAsync(stopping))
                return;
            if (end == TermEnd.Deposed && !options.Standby)
            {
                exit.Code = DaemonExit.Failed;
                return;
            }
        }
    }

    private async Task<(TermEnd End, LogException? Away)> RunTermAsync(
        CaptureTerm term, WriterTurn turn, HookOwnership? ownership, LogWait wait, CancellationToken stopping)
    {
        await using var lease = await turn.AwaitAsync(ownership, wait, health, stopping);
        try
        {
            return (await term.RunAsync(lease, ownership, stopping), null);
        }
        catch (LogException e) when (e.MayPass)
        {
            // While it read what the log knows; what it has read of the ring is in the ring still.
            return (TermEnd.LogAway, e);
        }
    }

    /// <summary>
    /// A log that does not answer, or refuses the login, is waited for: an administrator can mend that while the daemon runs. A log that
    /// answers and has no schema, or another one, or does not know the source, ends the daemon: before its first start a command was left out.
    /// </summary>
    private async Task<LogIdentity> CheckLogAsync(LogWait wait, CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                var schema = new LogSchema(store);
                var check = await schema.CheckAsync(stopping);
                if (check.State != SchemaState.Current)
                    throw new LogException(check.Sentence);
                if (!await schema.HasSourceAsync(options.Source, stopping))
                    throw new LogException($"The log at {store.Place} does not know source '{options.Source}': run `maplog source add {options.Source}`.");
                var identity = await schema.ReadIdentityAsync(stopping);
                wait.Over();
                return identity;
            }
            catch (LogException e) when (e.MayPass)
            {
                await wait.AfterAsync(e, stopping);
            }
        }
    }

    private void WaitForLog(string why)
    {
        log.WaitingForLog(why);
        health.Waits(why);
    }
}
