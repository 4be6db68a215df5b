using Maplog.Events;
using Maplog.Kernel;
using Maplog.Tests.Kernel.Capturing;
using Maplog.Tests.Recorded;
using Npgsql;

namespace Maplog.Tests.Kernel.Waiting;

/// <summary>A capture and a replicator of one map as a service manager runs them, with a settings file, on servers that come and go.</summary>
internal sealed class WaitingDaemons : IDisposable
{
    public const string Source = "waits", NoBus = "amqp://guest:guest@127.0.0.1:1/";

    private readonly PinFolder _pins = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("maplog-waits-");
    private readonly BpfMap _map;
    private int _seed;

    public WaitingDaemons(string map)
    {
        _map = BusyMap.Create(map);
        Stream = new StreamName(Source, map);
    }

    public StreamName Stream { get; }

    public Command Capture { get; private set; } = null!;

    public Command Replicator { get; private set; } = null!;

    private string SettingsFile => Path.Combine(_folder.FullName, "settings.json");

    private string Replica => _pins["replica"];

    /// <summary>Makes the log of a database, as an admin does before the first start.</summary>
    public static async Task MigrateAsync(string log)
    {
        if (!File.Exists(Path.Combine(Repository.Bin, "maplog")))
            await Command.RunAsync(Repository.Root, "scripts/build");
        await Command.RunAsync("/", Path.Combine(Repository.Bin, "maplog"), "migrate", "--log", log);
        await Command.RunAsync("/", Path.Combine(Repository.Bin, "maplog"), "source", "add", Source, "--log", log);
    }

    /// <summary>Writes what the daemons find in their file: in place of the one before, as a tool for secrets does.</summary>
    public void Set(string log, string bus = NoBus)
    {
        var next = SettingsFile + ".next";
        File.WriteAllText(next, System.Text.Json.JsonSerializer.Serialize(new { Maplog = new { Log = new { ConnectionString = log }, Bus = new { Uri = bus } } }));
        File.Move(next, SettingsFile, overwrite: true);
    }

    public void Start()
    {
        StartCapture();
        StartReplicator();
    }

    private void StartCapture() => Capture = Next(Capture,
    [
        Path.Combine(Repository.Bin, "maplog-capture"), "--config", SettingsFile, "--source", Source, "--watch", Stream.Map, "--probe", "syscall",
        "--ring-bytes", $"{16 << 20}", "--stay-attached", "true", "--pin-root", _pins["capture"],
    ]);

    private void StartReplicator() => Replicator = Next(Replicator,
    [
        Path.Combine(Repository.Bin, "maplog-replicator"), "--config", SettingsFile, "--source", Source, "--map", Stream.Map, "--pin", Replica, "--registry", _pins["capture"],
    ]);

    private Command Next(Command? before, string[] command)
    {
        before?.Dispose();
        return new Command(_pins.Folder, command);
    }

    /// <summary>Waits until both have said it.</summary>
    public Task BothSayAsync(string words) => Task.WhenAll(Capture.SaysAsync(words), Replicator.SaysAsync(words));

    public void Change(int count) => BusyMap.Change(_map, count, ++_seed);

    /// <summary>Waits until the replica has what the map has, and fails if a daemon ends before that.</summary>
    public async Task AreEqualAsync()
    {
        while (Differ())
        {
            MustRun();
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Whether map and replica differ now.</summary>
    public bool Differ()
    {
        if (!File.Exists(Replica))
            return true;
        using var replica = BpfMap.OpenPinned(Replica, MapAccess.Read);
        var live = _map.ReadAll(chunk: 4096, room: 4096);
        var copy = replica.ReadAll(chunk: 4096, room: 4096);
        return live.Count != copy.Count || live.Any(e => !copy.TryGetValue(e.Key, out var value) || !value.AsSpan().SequenceEqual(e.Value));
    }

    public void MustRun()
    {
        foreach (var daemon in new[] { Capture, Replicator })
            Assert.False(daemon.HasEnded, $"It ended:{daemon.LastLines(30)}");
    }

    /// <summary>Gaps in the log but for the one of the first start, which came after the map.</summary>
    public static async Task<int> GapsAsync(string log)
    {
        await using var source = NpgsqlDataSource.Create(log);
        await using var command = source.CreateCommand("select count(*)::int from maplog.mt_events where type = 'gap_found' and data->>'reason' <> 'late-attach'");
        return (int)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    /// <summary>Kills both; the hook stays.</summary>
    public async Task KillAsync()
    {
        foreach (var daemon in new[] { Capture, Replicator })
        {
            daemon.Kill();
            await daemon.EndAsync();
        }
    }

    /// <summary>Ends both in an orderly way.</summary>
    public async Task StopAsync()
    {
        // A process that has hardly begun has no handler of SIGTERM yet, and ends with 143.
        while (new[] { Capture, Replicator }.Any(d => !d.HasEnded && d.Lines.Count == 0))
            await Task.Delay(20);
        Capture.Terminate();
        Replicator.Terminate();
        foreach (var daemon in new[] { Capture, Replicator })
        {
            var status = await daemon.EndAsync(TimeSpan.FromMinutes(1));
            Assert.True(status == 0, $"It ended with {status}:{daemon.LastLines(30)}");
        }
    }

    public void Dispose()
    {
        Capture?.Dispose();
        Replicator?.Dispose();
        _map.Dispose();
        _pins.Dispose();
        _folder.Delete(recursive: true);
    }
}
