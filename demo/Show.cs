using System.Diagnostics;
using System.Globalization;
using Maplog.Events;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Servers;
using Npgsql;
using Spectre.Console;

namespace Maplog.Demo;

/// <summary>The demo, act by act. Whatever it starts or makes is gone when it ends.</summary>
internal sealed class Show(DemoOptions options)
{
    private const string Source = "lb-1", Map = "ct_map";
    private static readonly string[] StandbyNames = ["standby-1", "standby-2"];
    private static readonly string PinRoot = $"{Bpffs.Root}/maplog_demo";
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
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
        var (postgres, rabbit) = await StartServersAsync(undo, stop);
        var log = postgres.ConnectionTo("maplog");
        await Commands.RunAsync($"{_programs}/maplog", ["migrate", "--log", log], stop);
        await Commands.RunAsync($"{_programs}/maplog", ["source", "add", Source, "--log", log], stop);

        Bpffs.EnsureMounted(PinRoot);
        undo.Add($"Removing the pins in {PinRoot}", () => Directory.Delete(PinRoot, recursive: true));
        var table = new ConnectionTable($"{PinRoot}/{Map}");
        undo.Add("Closing the map", table.Dispose);
        _screen.Say($"The map: {Map}, a hash of 24-byte keys and 64-byte values, pinned at {table.Pin}");

        var folder = Directory.CreateTempSubdirectory("maplog-demo-").FullName;
        undo.Add($"Removing {folder}", () => Directory.Delete(folder, recursive: true));
        string[] servers = ["--log", log, "--bus", rabbit.Uri.ToString()];
        var capture = RunningDaemon.Start("capture", $"{_programs}/maplog-capture",
            ["--source", Source, "--watch", $"pin:{table.Pin}", "--probe", options.Probe, "--pin-root", $"{PinRoot}/pins", "--node", "active", .. servers], folder);
        undo.Add("Stopping capture", capture.DisposeAsync);
        var standbys = StandbyNames.Select(name => Standby(name, servers, folder)).ToList();
        foreach (var standby in standbys)
        {
            undo.Add($"Stopping {standby.Name}", standby.DisposeAsync);
            standby.Start();
        }

        await using var store = new LogStore(new LogOptions { ConnectionString = log });
        var reader = new LogReader(store);
        var opened = await AwaitOpenedAsync(reader, [capture], standbys, stop);
        var traffic = new Traffic(table, withProgram: opened.Probe != "syscall", options.Rate);
        Introduce(opened);

        var observer = new Observer(table, traffic, reader, Stream, standbys);
        await _screen.LiveAsync(() => PlayAsync(traffic, observer, capture, standbys, stop));
        await RequireSettledAsync(observer, traffic, stop);
        await ReportAsync(store, traffic, stop);
        var equal = Compare(table, standbys) & await VerifyAsync(log, table, standbys, stop);
        await LastChangesAsync(store, stop);
        await capture.StopAsync();
        foreach (var standby in standbys)
            await standby.StopAsync();
        return equal;
    }

    private async Task<(PrivatePostgres Postgres, PrivateRabbitMq Rabbit)> StartServersAsync(Undo undo, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        _screen.Say("Starting a private Postgres and a private RabbitMQ ...");
        var postgres = new PrivatePostgres();
        undo.Add("Stopping Postgres", postgres.DisposeAsync);
        var rabbit = new PrivateRabbitMq();
        undo.Add("Stopping RabbitMQ", rabbit.DisposeAsync);
        await Task.WhenAll(postgres.StartAsync(), rabbit.StartAsync()).WaitAsync(stop);
        undo.Add("Closing the connections", NpgsqlConnection.ClearAllPools);
        await using var admin = NpgsqlDataSource.Create(postgres.ConnectionString);
        await using var create = admin.CreateCommand("create database maplog");
        await create.ExecuteNonQueryAsync(stop);
        _screen.Say($"Postgres in {postgres.FolderPath} on port {postgres.Port}, RabbitMQ in {rabbit.FolderPath} on port {rabbit.Port}, after {clock.Elapsed.TotalSeconds:N1} s");
        return (postgres, rabbit);
    }

    private Standby Standby(string name, string[] servers, string folder)
    {
        var pin = $"{PinRoot}/{name.Replace('-', '_')}/{Map}";
        return new Standby(name, pin, () => RunningDaemon.Start(name, $"{_programs}/maplog-replicator",
            ["--source", Source, "--map", Map, "--pin", pin, "--registry", $"{PinRoot}/pins", "--node", name, .. servers], folder));
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
        throw new DemoException($"After {StartLimit.TotalSeconds} s the map was not captured, or not copied. The end of what the daemons said:\n{string.Join('\n', captures.Select(c => c.Tail()))}");
    }

    private void Introduce(MapOpened opened)
    {
        _screen.Say($"maplog-capture watches it with the {opened.Probe} probe; two maplog-replicators keep a copy each");
        foreach (var sentence in opened.Unseen)
            _screen.Say($"Not seen at once: {sentence}");
        if (opened.Probe == "syscall")
            _screen.Say("This kernel allows no better probe. So only bpf(2) and bpftool change the map here; with fentry or kprobes a BPF program does too.");
    }

    private async Task PlayAsync(Traffic traffic, Observer observer, RunningDaemon capture, List<Standby> standbys, CancellationToken stop)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var changing = traffic.RunAsync(enough.Token);
        try
        {
            var patient = standbys[^1];
            await WatchAsync(0.4);
            await patient.StopAsync();
            var stoppedAt = (await observer.LookAsync(stop)).Replicas[^1].Cursor;
            _screen.Say($"{patient.Name} has been stopped at version {stoppedAt:N0}");
            await WatchAsync(0.65);
            patient.Start();
            var clock = Stopwatch.StartNew();
            var missed = (await observer.LookAsync(stop)).Head - stoppedAt;
            _screen.Say($"{patient.Name} has been started again; it has missed {missed:N0} changes");
            await WatchAsync(1, sample => CaughtUp(sample, clock, patient, missed));
        }
        finally
        {
            await enough.CancelAsync();
            await changing;
        }

        async Task WatchAsync(double until, Func<Sample, bool>? once = null)
        {
            for (var done = false; ;)
            {
                capture.RequireRunning();
                foreach (var standby in standbys)
                    standby.RequireRunning();
                if (changing.IsFaulted)
                    await changing;
                var sample = await observer.LookAsync(stop);
                _screen.Show(sample);
                done = done || once?.Invoke(sample) == true;
                if (sample.At >= options.Duration * until)
                    return;
                await Task.Delay(Pause, stop);
            }
        }
    }

    // Level means here: nearer to the head than a quarter of a second of traffic.
    private bool CaughtUp(Sample sample, Stopwatch clock, Standby standby, long missed)
    {
        if (sample.Replicas[^1] is not { IsRunning: true } replica || replica.Behind > options.Rate / 4)
            return false;
        _screen.Say(string.Create(CultureInfo.InvariantCulture,
            $"{standby.Name} has caught up {clock.Elapsed.TotalSeconds:N1} s after its start: it read from the log what it had missed, {missed:N0} changes and what came meanwhile, and not the beginning"));
        return true;
    }

    // The traffic is over: everything made is logged, and everything logged applied.
    private async Task RequireSettledAsync(Observer observer, Traffic traffic, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        for (Sample? before = null; ;)
        {
            var sample = await observer.LookAsync(stop);
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

    private async Task ReportAsync(LogStore store, Traffic traffic, CancellationToken stop)
    {
        var logged = new List<string>();
        long total = 0;
        await using var command = store.Database.CreateCommand("select origin, count(*) from maplog.changes_of($1) group by origin order by origin");
        command.Parameters.Add(new() { Value = Stream.ToString() });
        await using var rows = await command.ExecuteReaderAsync(stop);
        while (await rows.ReadAsync(stop))
        {
            total += rows.GetInt64(1);
            logged.Add($"{rows.GetInt64(1):N0} by {rows.GetString(0)}");
        }
        _screen.Say($"Made   {traffic.Total:N0} changes: {string.Join(", ", traffic.Made.Select(m => $"{m.Changes:N0} by {m.Way}"))}");
        _screen.Say($"Logged {total:N0} changes: {string.Join(", ", logged)}");
    }

    // Key by key, on the maps themselves.
    private bool Compare(ConnectionTable table, List<Standby> standbys)
    {
        var source = MapContent.Read(table.Map);
        var equal = true;
        foreach (var standby in standbys)
        {
            using var map = BpfMap.OpenPinned(standby.Pin, MapAccess.Read);
            var copy = MapContent.Read(map);
            var missing = source.Keys.Count(k => !copy.ContainsKey(k));
            var extra = copy.Keys.Count(k => !source.ContainsKey(k));
            var other = source.Count(e => copy.TryGetValue(e.Key, out var value) && value != e.Value);
            var same = missing + extra + other == 0;
            equal &= same;
            _screen.Say(same
                ? $"{standby.Name}: all {copy.Count:N0} keys and values are the source's (SHA-256 {MapContent.Hash(source)} and {MapContent.Hash(copy)})"
                : $"{standby.Name} DIFFERS: of the source's {source.Count:N0} entries {missing} are missing, {other} have another value, and {extra} are too many");
        }
        return equal;
    }

    // The same with maplog's own command, which compares a map with what the log comes to.
    private async Task<bool> VerifyAsync(string log, ConnectionTable table, List<Standby> standbys, CancellationToken stop)
    {
        var equal = true;
        foreach (var pin in new[] { table.Pin }.Concat(standbys.Select(s => s.Pin)))
        {
            var (code, output, errors) = await Commands.TryRunAsync($"{_programs}/maplog", ["verify", Stream.ToString(), pin, "--log", log], stop);
            _screen.Say($"maplog verify {Stream} {pin}\n  {(output + errors).Trim()}");
            equal &= code == 0;
        }
        return equal;
    }

    private async Task LastChangesAsync(LogStore store, CancellationToken stop)
    {
        const string query = """
            select version, to_char(at, 'HH24:MI:SS.MS') as at, kind, origin, comm, encode(key, 'hex') as key
            from maplog.changes_of('lb-1/ct_map') order by version desc limit 8
            """;
        _screen.Say($"The last changes, in SQL:\n{query}");
        await using var command = store.Database.CreateCommand(query);
        await using var rows = await command.ExecuteReaderAsync(stop);
        var all = new List<IReadOnlyList<string>>();
        while (await rows.ReadAsync(stop))
            all.Add([.. Enumerable.Range(0, rows.FieldCount).Select(i => Convert.ToString(rows.GetValue(i), CultureInfo.InvariantCulture)!)]);
        _screen.Table([.. Enumerable.Range(0, rows.FieldCount).Select(rows.GetName)], all);
    }
}
