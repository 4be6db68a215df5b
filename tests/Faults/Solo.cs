using Maplog.Tests.Kernel;
using Maplog.Tests.Recorded;

namespace Maplog.Tests.Faults;

/// <summary>A node that writes a source for itself, by its maps' names, and two replicators of all of them.</summary>
internal sealed class Solo : IDisposable
{
    public const string Source = "solo", Pointers = "ptr_hash", Mapped = "mmap_array";

    /// <summary>Bytes: what the loads of both maps pour at most during a fault.</summary>
    private const int RingBytes = 16 << 20;

    private readonly PinFolder _pins = new();
    private readonly string[] _capture;
    private readonly string[][] _replicators;

    public Solo(string log, string bus, params string[] maps)
    {
        Maps = [.. maps, Pointers, Mapped];
        Directory.CreateDirectory(DriverPins);
        _capture =
        [
            Path.Combine(Repository.Bin, "maplog-capture"), "--source", Source, .. maps.SelectMany(m => new[] { "--watch", m }),
            "--watch", $"pin:{DriverPins}/{Pointers}={Pointers}", "--watch", $"pin:{DriverPins}/{Mapped}={Mapped}", "--probe", "syscall",
            "--node", "solo", "--pin-root", PinRoot, "--ring-bytes", $"{RingBytes}", "--log", log, "--bus", bus, .. World.Often,
        ];
        _replicators = [.. Enumerable.Range(0, 2).Select(number => (string[])
        [
            Path.Combine(Repository.Bin, "maplog-replicator"), "--source", Source, .. Maps.SelectMany(m => new[] { "--map", m, "--pin", PinOf(m, number), "--on-new-shape", "Recreate" }),
            "--registry", PinRoot, "--node", NodeOf(number), "--log", log, "--bus", bus, .. World.Often,
        ])];
    }

    public IReadOnlyList<string> Maps { get; }

    public string PinRoot => _pins["solo"];

    /// <summary>Where mapdriver pins what it makes.</summary>
    public string DriverPins => _pins["driver"];

    public Command Capture { get; private set; } = null!;

    public Command[] Replicators { get; } = new Command[2];

    public string[] PinsOf(string map) => [PinOf(map, 0), PinOf(map, 1)];

    public async Task StartCaptureAsync()
    {
        Capture?.Dispose();
        Capture = new Command(_pins.Folder, _capture);
        await Capture.SaysAsync("Capturing source");
    }

    public async Task KillCaptureAsync()
    {
        Capture.Kill();
        await Capture.EndAsync();
    }

    public Task StopCaptureAsync() => StopAsync(Capture);

    /// <summary>The hook is taken out.</summary>
    public async Task DetachAsync() => await Command.RunAsync("/", Path.Combine(Repository.Bin, "maplog"), "detach", Source, "--pin-root", PinRoot);

    public void StartReplicator(int number)
    {
        Replicators[number]?.Dispose();
        Replicators[number] = new Command(_pins.Folder, _replicators[number]);
    }

    public static async Task StopAsync(Command daemon)
    {
        daemon.Terminate();
        var status = await daemon.EndAsync(TimeSpan.FromSeconds(60));
        if (status != 0)
            throw new BrokenPromiseException($"A daemon that was asked to stop ended with {status}: {daemon.LastLines(20)}");
    }

    public void Dispose()
    {
        Capture?.Dispose();
        foreach (var replicator in Replicators)
            replicator?.Dispose();
        _pins.Dispose();
    }

    private string PinOf(string map, int number) => _pins[$"{map}_{number}"];

    private static string NodeOf(int number) => $"standby-{number}";
}
