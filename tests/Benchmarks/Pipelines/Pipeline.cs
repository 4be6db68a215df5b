using System.Globalization;
using Maplog.Cli;
using Maplog.Events;
using Maplog.Folding;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Snapshots;
using Maplog.Tests.Recorded;
using Npgsql;

namespace Maplog.Benchmarks.Pipelines;

/// <summary>The daemons as an operator runs them, as processes of their own: a capture with the syscall probe, and a replicator.</summary>
internal sealed class Pipeline : IAsyncDisposable
{
    private const string Source = "lb-1";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly LogStore _store;
    private readonly Uri _bus;
    private readonly string _pins, _folder;
    private readonly Work _work;
    private Command? _capture, _replicator;
    private RingReader? _ring;

    private Pipeline(LogStore store, Uri bus, string pins, Work work)
    {
        (_store, _bus, _pins, _work) = (store, bus, pins, work);
        _folder = Directory.CreateTempSubdirectory("maplog-bench-").FullName;
        Directory.CreateDirectory(Path.Combine(_pins, "source"));
        Directory.CreateDirectory(Path.Combine(_pins, "replica"));
    }

    public Work Work => _work;

    public Command Capture => _capture ?? throw new InvalidOperationException("The capture does not run.");

    public Command Replicator => _replicator ?? throw new InvalidOperationException("The replicator does not run.");

    /// <summary>A capture that waits for the maps of this work.</summary>
    /// <param name="bench">Has the servers.</param>
    /// <param name="store">The log.</param>
    /// <param name="work">What will be done.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    public static async Task<Pipeline> StartAsync(Bench bench, LogStore store, Work work, CancellationToken cancellation)
    {
        var pipeline = new Pipeline(store, await bench.MakeVirtualHostAsync(), bench.NewPins(), work);
        try
        {
            pipeline.StartCapture();
            await pipeline.Capture.SaysAsync("No map matches").WaitAsync(Patience, cancellation);
            return pipeline;
        }
        catch
        {
            await pipeline.DisposeAsync();
            throw;
        }
    }

    public string SourcePin(string map) => Path.Combine(_pins, "source", map);

    public string ReplicaPin(string map) => Path.Combine(_pins, "replica", map);

    /// <summary>Returns when the next capture has taken up what the log has of its maps.</summary>
    public async Task RestartCaptureAsync(CancellationToken cancellation)
    {
        await StopAsync(_capture);
        StartCapture();
        await Capture.SaysAsync("known from before: True").WaitAsync(Patience, cancellation);
    }

    public void StartReplicator() => _replicator = Run(
        "maplog-replicator", ["--source", Source, .. _work.Names.SelectMany(n => new[] { "--map", n, "--pin", ReplicaPin(n) }), "--registry", Path.Combine(_pins, "capture"), "--log", _store.Database.ConnectionString, "--bus", $"{_bus}"]);

    /// <summary>Begins with the maps, which mapdriver makes and pins.</summary>
    public async Task<Command> StartWorkAsync(CancellationToken cancellation)
    {
        var ring = Directory.GetFiles(Path.Combine(_pins, "capture", Source), "ring_*").Single();
        using (var map = BpfMap.OpenPinned(ring))
            _ring = RingReader.Open(map); // its positions alone
        var driver = new Command(_folder, [Path.Combine(Repository.Driver, "mapdriver"), .. _work.Arguments(ring, Path.Combine(_pins, "source"))]);
        await driver.SaysAsync("ready").WaitAsync(Patience, cancellation);
        return driver;
    }

    /// <summary>Bytes in the hook's ring that are not in the log yet.</summary>
    public long Waiting => (long)(_ring!.ProducerPosition - _ring.ConsumerPosition);

    /// <summary>Until every change made so far is in the log, and in the replicas.</summary>
    public async Task ReachAsync(bool replicas, CancellationToken cancellation)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        late.CancelAfter(Patience);
        try
        {
            while (Waiting > 0)
                await Task.Delay(5, late.Token);
            foreach (var map in replicas ? _work.Names : [])
            {
                var head = (await HeadAsync(map, late.Token)).Version.Value;
                while (CursorWatch.VersionOf(ReplicaPin(map)) < head)
                    await Task.Delay(5, late.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"After {Patience} {Waiting} bytes wait in the ring, or a replica has not what the log has.\ncapture:{_capture?.LastLines(20)}\nreplicator:{_replicator?.LastLines(20)}");
        }
    }

    public Task<StreamHead> HeadAsync(string map, CancellationToken cancellation) => new LogReader(_store).ReadHeadAsync(new StreamName(Source, map), cancellation);

    /// <summary>Holds log, source and replicas against each other: the log has each record's change once, nothing was lost, and all have the same entries.</summary>
    public async Task CheckAsync(long changes, CancellationToken cancellation)
    {
        var gaps = await CountAsync("type = 'gap_found'", cancellation);
        var corrected = await CountAsync($"bdata is not null and {_store.Schema}.change_ring_position(bdata) < 0", cancellation);
        var logged = await CountAsync("bdata is not null", cancellation);
        if (gaps != 0 || logged - corrected != changes)
            throw new InvalidOperationException($"{changes} changes were made; the log has {logged}, {corrected} of them from scans, and {gaps} gaps.{Capture.LastLines(20)}");
        // Where mapdriver is held up for 10 ms between a change and its record, the background scan is the first to see it.
        if (corrected > 0)
            Console.Error.WriteLine($"  the background scan saw {corrected} changes before their records came");
        var history = new StreamHistory(_store);
        foreach (var map in _work.Names)
        {
            var kept = await history.ReadAsync(new StreamName(Source, map), cancellation: cancellation);
            foreach (var pin in new[] { SourcePin(map), ReplicaPin(map) })
            {
                using var live = LiveMap.Open(pin);
                if (MapComparison.Of(kept.Entries, LiveMap.Read(live, cancellation), keep: 0) is { IsEqual: false } found)
                    throw new InvalidOperationException($"{found.DifferenceCount} entries of {pin} differ from the log's.");
            }
        }
    }

    /// <summary>Changes that the line <c>changes N …</c> of mapdriver tells, the last one.</summary>
    public static long ChangesOf(Command driver) =>
        long.Parse(driver.Lines.Last(l => l.StartsWith("changes ", StringComparison.Ordinal)).Split(' ')[1], CultureInfo.InvariantCulture);

    /// <summary>Resident bytes of a daemon; one that has ended fails with what it said last.</summary>
    public static long ResidentBytes(Command daemon)
    {
        if (daemon.HasEnded)
            throw new InvalidOperationException($"A daemon ended while its work was measured:{daemon.LastLines(20)}");
        return long.Parse(File.ReadLines($"/proc/{daemon.Id}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }

    public async Task StopReplicatorAsync()
    {
        await StopAsync(_replicator);
        _replicator = null;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(_replicator);
        await StopAsync(_capture);
        _ring?.Dispose();
        Directory.Delete(_folder, recursive: true);
        Directory.Delete(_pins, recursive: true);
    }

    private async Task<long> CountAsync(string what, CancellationToken cancellation)
    {
        await using var command = _store.Database.CreateCommand($"select count(*) from {_store.Schema}.mt_events where tenant_id = '{Source}' and stream_id = any($1) and {what}");
        command.Parameters.Add(new NpgsqlParameter { Value = _work.Names.Select(n => $"{Source}/{n}").ToArray() });
        command.CommandTimeout = 0;
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    }

    private void StartCapture() => _capture = Run(
        "maplog-capture", "--source", Source, "--watch", _work.Watch, "--probe", "syscall", "--pin-root", Path.Combine(_pins, "capture"), "--log", _store.Database.ConnectionString, "--bus", $"{_bus}");

    // As they are shipped: compiled ahead of time.
    private Command Run(string program, params string[] arguments) => new(_folder, [Path.Combine(Repository.Bin, program), .. arguments]);

    private static async Task StopAsync(Command? daemon)
    {
        if (daemon is null)
            return;
        daemon.Terminate();
        await daemon.EndAsync(TimeSpan.FromSeconds(60));
        daemon.Dispose();
    }
}
