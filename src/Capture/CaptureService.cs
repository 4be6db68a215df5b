using Maplog.Bus;
using Maplog.Capture.Pipeline;
using Maplog.Capture.Watching;
using Maplog.Configuration;
using Maplog.Events;
using Maplog.Folding;
using Maplog.Hooking;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Replicas;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Maplog.Capture;

/// <summary>The daemon: becomes the source's writer, attaches the hook, takes up what the log knows, and runs the session.</summary>
internal sealed class CaptureService(
    CaptureOptions options, NodeOptions node, LogStore store, BusPublisher bus, BatchFeed feed, DaemonExit exit, IHostApplicationLifetime host, TimeProvider time, ILogger<CaptureService> log) : BackgroundService
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
        catch (Exception e) when (e is KernelException or LogException or BusRefusedException or ReplicaException or DeposedException or InvalidDataException)
        {
            log.Fatal(e.Message);
            exit.Code = DaemonExit.Failed;
        }
        host.StopApplication();
    }

    private async Task RunAsync(CancellationToken stopping)
    {
        var targets = options.Watch.Select(WatchedTarget.Parse).ToList();
        await CheckSchemaAsync(stopping);
        await using var writerLock = await WriterLock.TryTakeAsync(store, options.Source, stopping)
            ?? throw new LogException($"Source {options.Source} has a writer already: a source is captured by one daemon at a time. Stop the other one, or give this one another source.");
        var writer = await LogWriter.OpenAsync(store, options.Source, stopping);
        var reader = new LogReader(store);
        var epoch = (await reader.ReadLatestEpochAsync(options.Source, stopping)).Next;

        await bus.StartAsync(stopping);
        using var replicators = WriterRegistry.Open(options.PinRoot);
        using var hook = Attach(targets);
        var sink = new EventSink(new KernelClock(time), epoch);
        var registry = new MapRegistry(options.Source, node.Name, targets, replicators, hook, sink, feed, log);
        Announce(hook, epoch); // what is made from here on is caught from its first change
        await TakeUpAsync(reader, hook, sink, registry, stopping);
        foreach (var missing in registry.Missing())
            log.NoSuchMap(missing);
        using var session = new CaptureSession(hook, registry, sink, new Committer(writer, reader, epoch, time, log), feed, new Sweeper(registry, options.ScanRate), options.BatchSize, time, log);
        await session.RunAsync(stopping);
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

    private CaptureHook Attach(List<WatchedTarget> targets)
    {
        Tracefs.EnsureMounted();
        var names = targets.Where(t => t.Name is not null).Select(t => t.Name!).ToList();
        var hook = CaptureHook.Attach(new HookOptions
        {
            Probe = options.ForcedProbe,
            RingBytes = options.RingBytes,
            Names = names,
            PinFolder = options.StayAttached ? Path.Combine(options.PinRoot, options.Source) : null,
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
            log.Unseen(sentence);
    }

    // The chain goes on where the last seal left it: what came after it, a minute's changes as a rule, is read again.
    private static async Task<SealChain> SealsAsync(LogReader reader, StreamHead head, CancellationToken stopping)
    {
        var seal = await reader.ReadLatestAsync<Sealed>(head.Stream, stopping);
        var first = seal is null ? await reader.ReadFirstAsync(head.Stream, stopping) : null;
        var after = new StreamVersion(seal is not null ? seal.Version.Value - 1 : (first?.Version.Value ?? 1) - 1);
        var chain = new SealChain(after, seal?.Note.Hash);
        await foreach (var page in reader.ReadAsync(head.Stream, after, head.Version, stopping))
            foreach (var logged in page)
                chain.Take(logged.Version, logged.Time, logged.Kind, logged.Data.Span);
        return chain;
    }

    // A new term begins in every stream of the source, whether its map is still there or not.
    private async Task TakeUpAsync(LogReader reader, CaptureHook hook, EventSink sink, MapRegistry registry, CancellationToken stopping)
    {
        foreach (var summary in await reader.ListStreamsAsync(options.Source, stopping))
        {
            var stream = new CapturedStream(summary.Stream);
            stream.Resume(summary.Head.Version, summary.Head.Time, await SealsAsync(reader, summary.Head, stopping));
            await SkipLoggedAsync(reader, hook, stream, stopping);
            sink.Note(stream, new EpochStarted(sink.Epoch.Value, node.Name, Boot.Id, hook.RingId, stream.LoggedPosition, stream.LoggedIndex, sink.Now), hook.IsResumed ? 0 : KernelClock.Now);
            // Only a map of this boot can go on; the content of another is no longer needed.
            registry.TakeUp(stream, summary.Opened is { } opened && opened.BootId == Boot.Id ? await FoldAsync(reader, summary.Stream, stopping) : null);
        }
    }

    private static async Task SkipLoggedAsync(LogReader reader, CaptureHook hook, CapturedStream stream, CancellationToken stopping)
    {
        var term = await reader.ReadLatestAsync<EpochStarted>(stream.Name, stopping);
        if (term is null || term.Note.RingId != hook.RingId || term.Note.BootId != Boot.Id)
            return;
        var last = await reader.ReadLastRecordAsync(stream.Name, term.Version, stopping);
        if (last is { } record)
            stream.SkipUpTo(record.Header.RingPosition, record.Header.RecordIndex, record.Header.KernelTime);
        else
            stream.SkipUpTo(term.Note.LoggedPosition, term.Note.LoggedIndex, 0);
    }

    private static async Task<StreamFold> FoldAsync(LogReader reader, StreamName name, CancellationToken stopping)
    {
        var fold = new StreamFold(name);
        await foreach (var page in reader.ReadAsync(name, cancellation: stopping))
        {
            foreach (var logged in page)
                fold.Apply(logged);
        }
        return fold;
    }
}
