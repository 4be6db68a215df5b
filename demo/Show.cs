using System.Diagnostics;
using System.Globalization;
using Maplog.Events;
using Maplog.Kernel;
using Maplog.Log;
using Spectre.Console;

namespace Maplog.Demo;

/// <summary>The demo, act by act. Whatever it starts or makes is gone when it ends.</summary>
internal sealed class Show(DemoOptions options)
{
    private const string Source = "lb-1", Map = "ct_map";
    private static readonly string[] StandbyNames = ["standby-1", "standby-2"];
    private static readonly string PinRoot = $"{Bpffs.Root}/maplog_demo";
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan SettleLimit = TimeSpan.FromSeconds(60);
    private static readonly StreamName Stream = new(Source, Map);

    private readonly string _programs = Environment.GetEnvironmentVariable("MAPLOG_BIN") ?? throw new DemoException("Start the demo with 'make demo'.");
    private readonly IScreen _screen = Console.IsOutputRedirected || !AnsiConsole.Profile.Capabilities.Interactive ? new PlainScreen(Console.Out) : new LiveScreen(AnsiConsole.Console);

    /// <returns>Whether all maps were equal at the end.</returns>
    public async Task<bool> RunAsync(CancellationToken stop)
    {
        if (Privileges.Lacking() is { Count: > 0 } lacking)
            throw new DemoException($"This process lacks {string.Join(", ", lacking)}: making and pinning maps takes root. Run 'sudo make demo'.");
        await using var undo = new Undo();
        var servers = await DemoServers.StartAsync(options, _screen, undo, stop);
        await Commands.RunAsync($"{_programs}/maplog", ["migrate", "--log", servers.Log], stop);
        await Commands.RunAsync($"{_programs}/maplog", ["source", "add", Source, "--log", servers.Log], stop);

        Bpffs.EnsureMounted(PinRoot);
        undo.Add($"Removing the pins in {PinRoot}", () => Directory.Delete(PinRoot, recursive: true));
        var table = new ConnectionTable($"{PinRoot}/{Map}");
        undo.Add("Closing the map", table.Dispose);
        _screen.Say($"The map: {Map}, a hash of 24-byte keys and 64-byte values, pinned at {table.Pin}");

        var folder = Directory.CreateTempSubdirectory("maplog-demo-").FullName;
        undo.Add($"Removing {folder}", () => Directory.Delete(folder, recursive: true));
        var capture = RunningDaemon.Start("capture", $"{_programs}/maplog-capture",
            ["--source", Source, "--watch", $"pin:{table.Pin}", "--probe", options.Probe, "--pin-root", $"{PinRoot}/pins", "--node", "active", "--log", servers.Log, "--bus", servers.Bus], folder);
        undo.Add("Stopping capture", capture.DisposeAsync);
        var standbys = StandbyNames.Select(name => Standby(name, servers, folder)).ToList();
        foreach (var standby in standbys)
        {
            undo.Add($"Stopping {standby.Name}", standby.DisposeAsync);
            standby.Start();
        }

        await using var store = new LogStore(new LogOptions { ConnectionString = servers.Log });
        var reader = new LogReader(store);
        var opened = await AwaitOpenedAsync(reader, [capture], standbys, stop);
        var traffic = new Traffic(table, withProgram: opened.Probe != "syscall", options.Rate);
        Introduce(opened);

        var observer = new Observer(table, traffic, reader, Stream, standbys);
        await _screen.LiveAsync(async () =>
        {
            var catchUp = await PlayAsync(traffic, observer, capture, standbys, stop);
            await SettleAsync(observer, traffic, catchUp, stop);
        });
        var proof = new Proof(_screen, _programs, servers.Log, store, Stream);
        await proof.CountAsync(traffic, stop);
        var equal = proof.Compare(table.Map, standbys) & await proof.VerifyAsync([table.Pin, .. standbys.Select(s => s.Pin)], stop);
        await proof.ShowLastChangesAsync(stop);
        await capture.StopAsync();
        foreach (var standby in standbys)
            await standby.StopAsync();
        return equal;
    }

    private Standby Standby(string name, DemoServers servers, string folder)
    {
        var pin = $"{PinRoot}/{name.Replace('-', '_')}/{Map}";
        return new Standby(name, pin, () => RunningDaemon.Start(name, $"{_programs}/maplog-replicator",
            ["--source", Source, "--map", Map, "--pin", pin, "--registry", $"{PinRoot}/pins", "--node", name, "--log", servers.Log, "--bus", servers.Bus], folder));
    }

    // Capture has opened the map in the log, and the standbys have made theirs.
    private static async Task<MapOpened> AwaitOpenedAsync(LogReader reader, IReadOnlyList<RunningDaemon> captures, IReadOnlyList<Standby> standbys, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < StartLimit)
        {
            foreach (var capture in captures)
                capture.RequireRunning();
            foreach (var standby in standbys)
                standby.RequireRunning();
            if (standbys.All(s => File.Exists(s.Pin)) && await reader.ReadLatestAsync<MapOpened>(Stream, stop) is { } opened)
                return opened.Note;
            await Task.Delay(Pause, stop);
        }
        throw new DemoException($"After {StartLimit.TotalMinutes} minutes the map was not captured, or not copied. The end of what the daemons said:\n{string.Join('\n', captures.Select(c => c.Tail()))}");
    }

    private void Introduce(MapOpened opened)
    {
        _screen.Say($"maplog-capture watches it with the {opened.Probe} probe; two maplog-replicators keep a copy each");
        foreach (var sentence in opened.Unseen)
            _screen.Say($"Not seen at once: {sentence}");
        if (opened.Probe == "syscall")
            _screen.Say("This kernel allows no better probe. So only bpf(2) and bpftool change the map here; with fentry or kprobes a BPF program does too.");
    }

    private async Task<CatchUp> PlayAsync(Traffic traffic, Observer observer, RunningDaemon capture, List<Standby> standbys, CancellationToken stop)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var changing = traffic.RunAsync(enough.Token);
        try
        {
            var patient = standbys[^1];
            await WatchAsync(0.4);
            await patient.StopAsync();
            var stoppedAt = (await observer.LookAsync(stop)).Replicas[^1].Cursor;
            _screen.Say(string.Create(CultureInfo.InvariantCulture, $"{patient.Name} has been stopped at version {stoppedAt:N0}"));
            await WatchAsync(0.65);
            patient.Start();
            var head = (await observer.LookAsync(stop)).Head;
            _screen.Say(string.Create(CultureInfo.InvariantCulture, $"{patient.Name} has been started again; it has missed {head - stoppedAt:N0} changes"));
            var catchUp = new CatchUp(_screen, patient.Name, stoppedAt, head, near: options.Rate / 4);
            await WatchAsync(1, catchUp);
            return catchUp;
        }
        finally
        {
            await enough.CancelAsync();
            await changing;
        }

        async Task WatchAsync(double until, CatchUp? catchUp = null)
        {
            while (true)
            {
                capture.RequireRunning();
                foreach (var standby in standbys)
                    standby.RequireRunning();
                if (changing.IsFaulted)
                    await changing;
                var sample = await observer.LookAsync(stop);
                _screen.Show(sample);
                catchUp?.See(sample);
                if (sample.At >= options.Duration * until)
                    return;
                await Task.Delay(Pause, stop);
            }
        }
    }

    // The traffic is over: everything made is logged, and everything logged applied.
    private async Task SettleAsync(Observer observer, Traffic traffic, CatchUp catchUp, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        for (Sample? before = null; ;)
        {
            var sample = await observer.LookAsync(stop);
            catchUp.See(sample);
            if (before is not null && before.Head == sample.Head && sample.Head >= traffic.Total && sample.Replicas.All(r => r.Behind == 0))
            {
                _screen.Show(sample);
                return;
            }
            if (clock.Elapsed > SettleLimit)
            {
                _screen.Say($"After {SettleLimit.TotalSeconds} s of rest there are {traffic.Total:N0} changes, the log's head is {sample.Head:N0}, and the standbys are {string.Join(" and ", sample.Replicas.Select(Lag.Of))}.");
                return;
            }
            before = sample;
            await Task.Delay(Pause, stop);
        }
    }
}
