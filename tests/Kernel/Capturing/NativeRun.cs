using Maplog.Servers;
using Maplog.Tests.Recorded;

namespace Maplog.Tests.Kernel.Capturing;

/// <summary>mapdriver beside a capture daemon with the syscall probe, on this very kernel, once for all tests of it.</summary>
public sealed class NativeRun : IAsyncLifetime
{
    private const int Changes = 200, Generations = 5, RingBytes = 64 << 20;
    private static readonly string[] Rows = ["sys_*", "one_*", "all_*", "no_sys*", "odd_sys*", "big_sys*", "evict_sys", "evict_upb", "xdp_hash_*", "ptr_hash", "mmap_array"], Born = ["born_sys", "born_upb"];

    // Not injected: a class fixture that takes an assembly's fixture would start it in the discovery too.
    private readonly TestPostgres _postgres = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("maplog-native-");
    private readonly List<Command> _drivers = [];
    private CaptureProcess? _capture;

    public CapturedRun MapsThatWereThere => Read("rows");

    public CapturedRun MapsJustBorn => Read("born");

    /// <summary>The names of the rows that are made here.</summary>
    /// <param name="command">rows or born.</param>
    public static IEnumerable<string> NamesOf(string command) => DriverNames.Of(command, command == "rows" ? Rows : Born);

    public async ValueTask InitializeAsync()
    {
        _capture = await CaptureProcess.StartAsync(_postgres, RingBytes, null, [.. Rows, .. Born]);
        var rows = Drive("rows", Rows);
        await rows.SaysAsync("ready");
        // The last of them: the daemon has met all.
        await _capture.WatchesAsync("mmap_array");
        rows.GoOn();
        var born = Drive("born", Born, "--generations", $"{Generations}");
        await born.SaysAsync("ready");
        born.GoOn();
        await rows.SaysAsync("done");
        await born.SaysAsync("done");
    }

    public async ValueTask DisposeAsync()
    {
        // The maps are there as long as their drivers are: so long the background scan may find what no hook sees.
        if (_capture is not null)
        {
            await _capture.StopAsync();
            await _capture.DisposeAsync();
        }
        foreach (var driver in _drivers)
        {
            driver.GoOn();
            await driver.EndAsync();
            driver.Dispose();
        }
        await _postgres.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private Command Drive(string command, string[] rows, params string[] more)
    {
        _drivers.Add(new Command(_folder.FullName,
        [Path.Combine(Repository.Driver, "mapdriver"), command, "--out", command, "--count", $"{Changes}", "--stepwise", .. rows.SelectMany(r => new[] { "--only", r }), .. more]));
        return _drivers[^1];
    }

    private CapturedRun Read(string command) => new("syscall", CaptureProcess.Source, new DriverRecord(Path.Combine(_folder.FullName, command)), _capture!.Log);
}
