using Maplog.Events;
using Maplog.Folding;
using Maplog.Log;
using Maplog.Servers;
using Maplog.Tests.Kernel.Foreign;
using Maplog.Tests.Recorded;

namespace Maplog.Tests.Kernel.Capturing;

/// <summary>A capture daemon with the syscall probe, which every kernel allows, on a log of its own. Nothing of it stays.</summary>
internal sealed class CaptureProcess : IAsyncDisposable
{
    private readonly PinFolder _pins = new();
    private readonly LogStore _store;
    private readonly string[] _command;
    private Command _daemon;
    private readonly List<Command> _replicators = [];
    private readonly string _log, _bus;

    private CaptureProcess(string log, string bus, int ringBytes, bool stays, string[] watch, string[] more, string[] under)
    {
        (_log, _bus) = (log, bus);
        _store = new LogStore(new LogOptions { ConnectionString = log });
        _command =
        [
            .. under, Path.Combine(Repository.Bin, "maplog-capture"), "--source", Source, .. watch.SelectMany(w => w.StartsWith("--", StringComparison.Ordinal) ? [w] : new[] { "--watch", w }), "--probe", "syscall", "--ring-bytes", $"{ringBytes}",
            "--log", log, "--bus", bus, "--stay-attached", stays ? "true" : "false", "--pin-root", _pins["capture"], .. more,
        ];
        _daemon = new Command(_pins.Folder, _command);
    }

    public static string Source => "here";

    public LogStore Store => _store;

    /// <summary>To its log, for commands.</summary>
    public string Connection => _log;

    public LogReader Log => new(_store);

    /// <summary>The folder in which it and the replicators of its host tell what is a replica.</summary>
    public string Registry => _pins["capture"];

    /// <param name="postgres">Where its log is made.</param>
    /// <param name="ringBytes">What the ring holds.</param>
    /// <param name="bus">RabbitMQ; null: it is away.</param>
    /// <param name="watch">The maps; what begins with -- is an argument as it is.</param>
    public static Task<CaptureProcess> StartAsync(TestPostgres postgres, int ringBytes, Uri? bus, params string[] watch) => StartAsync(postgres, ringBytes, bus, stays: false, watch, []);

    /// <param name="postgres">Where its log is made.</param>
    /// <param name="ringBytes">What the ring holds.</param>
    /// <param name="watch">The maps; what begins with -- is an argument as it is.</param>
    /// <returns>One whose hook stays in the kernel when it ends.</returns>
    public static Task<CaptureProcess> StartStayingAsync(TestPostgres postgres, int ringBytes, params string[] watch) => StartAsync(postgres, ringBytes, null, stays: true, watch, []);

    /// <param name="postgres">Where its log is made.</param>
    /// <param name="map">What it watches.</param>
    /// <param name="settings">Settings beside those of a test.</param>
    public static Task<CaptureProcess> StartWithAsync(TestPostgres postgres, string map, params string[] settings) => StartAsync(postgres, 16 << 20, null, stays: false, [map], settings);

    /// <param name="postgres">Where its log is made.</param>
    /// <param name="refused">Names the maps, by id or pin, that the kernel refuses to this daemon.</param>
    /// <param name="watch">The maps; what begins with -- is an argument as it is.</param>
    public static Task<CaptureProcess> StartRefusedAsync(TestPostgres postgres, Refusal refused, params string[] watch) => StartAsync(postgres, 16 << 20, null, stays: true, watch, [], refused.Command);

    /// <summary>The folder of its source's pins.</summary>
    public string Pins => Path.Combine(Registry, Source);

    /// <summary>Kills it, and starts the next.</summary>
    /// <param name="between">What is done in between.</param>
    public Task ReplaceAsync(Action between) => ReplaceAfterAsync(() =>
    {
        between();
        return Task.CompletedTask;
    });

    /// <summary>Starts another capture of the same source on this host, as a container with default settings would.</summary>
    /// <param name="log">The database of its log, with schema and source.</param>
    /// <param name="more">Further arguments.</param>
    public Command StartOther(string log, params string[] more) =>
        new(_pins.Folder, [.. _command.Select(word => word == _log ? log : word), .. more]);

    /// <summary>The same in a pid namespace and a mount namespace of its own, with the BPF file system of the host.</summary>
    /// <param name="log">The database of its log, with schema and source.</param>
    public Command StartOtherInContainer(string log) =>
        new(_pins.Folder, ["unshare", "--mount", "--pid", "--fork", "--mount-proc", .. _command.Select(word => word == _log ? log : word)]);

    /// <summary>Makes schema and source in an empty database.</summary>
    public static async Task PrepareAsync(string log)
    {
        var maplog = Path.Combine(Repository.Bin, "maplog");
        await Command.RunAsync("/", maplog, "migrate", "--log", log);
        await Command.RunAsync("/", maplog, "source", "add", Source, "--log", log);
    }

    /// <summary>Suspends it.</summary>
    public void Suspend() => _daemon.Stop();

    /// <summary>Lets it run again.</summary>
    public void GoOn() => _daemon.GoOnRunning();

    /// <summary>Kills it, and starts the next.</summary>
    /// <param name="between">What is done in between.</param>
    public async Task ReplaceAfterAsync(Func<Task> between)
    {
        await KillAsync();
        await between();
        Start();
        await _daemon.SaysAsync("Capturing source");
    }

    /// <summary>Kills it.</summary>
    public async Task KillAsync()
    {
        _daemon.Kill();
        await _daemon.EndAsync();
    }

    /// <summary>Starts the next.</summary>
    public void Start()
    {
        _daemon.Dispose();
        _daemon = new Command(_pins.Folder, _command);
    }

    private static async Task<CaptureProcess> StartAsync(TestPostgres postgres, int ringBytes, Uri? bus, bool stays, string[] watch, string[] more, string[]? under = null) =>
        await StartAsync(await postgres.CreateDatabaseAsync("capture"), ringBytes, bus, stays, watch, more, under);

    /// <param name="log">An empty database for its log.</param>
    /// <param name="ringBytes">What the ring holds.</param>
    /// <param name="watch">The maps; what begins with -- is an argument as it is.</param>
    public static Task<CaptureProcess> StartAsync(string log, int ringBytes, params string[] watch) => StartAsync(log, ringBytes, null, stays: false, watch, []);

    /// <param name="log">An empty database for its log.</param>
    /// <param name="ringBytes">What the ring holds.</param>
    /// <param name="watch">The maps; what begins with -- is an argument as it is.</param>
    /// <returns>One whose hook stays in the kernel when it ends.</returns>
    public static Task<CaptureProcess> StartStayingOnAsync(string log, int ringBytes, params string[] watch) =>
        StartAsync(log, ringBytes, null, stays: true, watch, []);

    private static async Task<CaptureProcess> StartAsync(string log, int ringBytes, Uri? bus, bool stays, string[] watch, string[] more, string[]? under = null)
    {
        if (!File.Exists(Path.Combine(Repository.Bin, "maplog-capture")))
            await Command.RunAsync(Repository.Root, "scripts/build");
        await PrepareAsync(log);
        var capture = new CaptureProcess(log, bus?.AbsoluteUri ?? "amqp://guest:guest@127.0.0.1:1", ringBytes, stays, watch, more, under ?? []);
        await capture._daemon.SaysAsync("Capturing source");
        return capture;
    }

    /// <summary>The replicators, in the order of their start.</summary>
    public IReadOnlyList<Command> Replicators => _replicators;

    /// <summary>Starts a replicator of a map.</summary>
    /// <param name="map">Which map.</param>
    /// <param name="more">Further arguments.</param>
    /// <returns>The replica's pin.</returns>
    public string Replicate(string map, params string[] more)
    {
        var pin = _pins[$"replica{_replicators.Count}"];
        _replicators.Add(new Command(_pins.Folder,
        [
            Path.Combine(Repository.Bin, "maplog-replicator"), "--source", Source, "--map", map, "--pin", pin, "--registry", _pins["capture"],
            "--log", _log, "--bus", _bus, "--node", $"node{_replicators.Count}", .. more,
        ]));
        return pin;
    }

    /// <summary>Waits until it watches the map of this stream.</summary>
    public Task WatchesAsync(string map) => _daemon.SaysAsync($"{Source}/{map}: map ");

    public Task SaysAsync(string text) => _daemon.SaysAsync(text);

    /// <summary>What the one that runs, or ran last, has said so far.</summary>
    public string Said => string.Join('\n', _daemon.Lines);

    /// <summary>Waits until the log holds so many versions of the stream.</summary>
    public async Task LoggedAsync(string map, long versions)
    {
        while ((await Log.ReadHeadAsync(new StreamName(Source, map))).Version.Value < versions)
        {
            Assert.False(_daemon.HasEnded, _daemon.LastLines(20));
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Waits until the stream tells of a gap for this reason.</summary>
    public async Task LoggedGapAsync(string map, string reason)
    {
        var stream = new StreamName(Source, map);
        while ((await Log.ReadLatestAsync<GapFound>(stream, TestContext.Current.CancellationToken))?.Note.Reason != reason)
            await Task.Delay(100, TestContext.Current.CancellationToken);
    }

    /// <summary>How many changes of an origin the stream has after a version.</summary>
    public async Task<int> CountAsync(string map, Origin origin, StreamVersion after)
    {
        var count = 0;
        await foreach (var page in Log.ReadAsync(new StreamName(Source, map), after, cancellation: TestContext.Current.CancellationToken))
        {
            foreach (var logged in page)
                count += logged.Kind.IsChange() && ChangePayload.ReadHeader(logged.Data.Span).Origin == origin ? 1 : 0;
        }
        return count;
    }

    /// <summary>Waits until it has ended by itself.</summary>
    /// <param name="code">Its exit code.</param>
    public async Task EndsAsync(int code) => Assert.True(await _daemon.EndAsync(TimeSpan.FromMinutes(1)) == code, _daemon.LastLines(20));

    /// <summary>What is in the log now. That the map was there before the daemon is no gap here.</summary>
    public async Task<(StreamFold Fold, int Changes, int Gaps)> FoldAsync(string map)
    {
        var fold = new StreamFold(new StreamName(Source, map));
        int changes = 0, gaps = 0;
        await foreach (var page in Log.ReadAsync(fold.Stream, cancellation: TestContext.Current.CancellationToken))
        {
            foreach (var logged in page)
            {
                fold.Apply(logged);
                changes += logged.Kind.IsChange() ? 1 : 0;
                gaps += logged.Kind == EventKind.GapFound && ((GapFound)NoteCodec.Read(logged.Kind, logged.Data.Span)).Reason != "late-attach" ? 1 : 0;
            }
        }
        return (fold, changes, gaps);
    }

    /// <summary>Its process.</summary>
    public int Id => _daemon.Id;

    public bool HasEnded => _daemon.HasEnded;

    /// <summary>Ends it in an orderly way: all that happened before is in the log then.</summary>
    public async Task StopAsync()
    {
        _daemon.Terminate();
        Assert.True(await _daemon.EndAsync() == 0, _daemon.LastLines(20));
        foreach (var replicator in _replicators)
        {
            replicator.Terminate();
            Assert.True(await replicator.EndAsync() == 0, replicator.LastLines(20));
        }
    }

    public async ValueTask DisposeAsync()
    {
        _daemon.Dispose();
        _replicators.ForEach(r => r.Dispose());
        await _store.DisposeAsync();
        _pins.Dispose();
    }
}
