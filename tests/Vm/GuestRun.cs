using System.Diagnostics;
using System.Globalization;
using Maplog.Log;
using Maplog.Tests.Recorded;
using Npgsql;

namespace Maplog.Tests.Vm;

/// <summary>One boot of a Debian kernel: a capture daemon with one probe, and mapdriver in all its ways beside it.</summary>
public sealed class GuestRun
{
    private const int Changes = 20, MiB = 4096, MostBoots = 5;
    private const int ShortFight = 20_000;
    // At length in make test-kernels: a hundred thousand, and, where the hook runs under the bucket's lock, a million.
    private static readonly int Storm = Setting("MAPLOG_STORM", 40_000), LongFight = Setting("MAPLOG_FIGHT", ShortFight);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5), Still = TimeSpan.FromMinutes(2.5), ForTheScan = TimeSpan.FromSeconds(90);

    private static readonly string[] Rows =
    [
        "xdp_*", "tc_*", "kp_*", "pe_*", "tp_*", "fen_*", "sys_*", "one_*", "all_*", "no_*", "evict_*",
        // Values of megabytes are for the native tests: here they would cost minutes.
        "odd_*", "big_*_key*", "big_*_val4k", "big_*_val64k", "ptr_hash", "mmap_array",
    ];

    private readonly string _suite, _probe;
    private readonly Uri _bus;
    private readonly string _log;
    private readonly LogStore _store;
    private int _boots;
    private string _trouble = "";
    private bool _stoodStill;

    /// <param name="suite">The Debian release whose kernel boots.</param>
    /// <param name="probe">fentry or kprobe.</param>
    /// <param name="log">The log's connection string, as it is outside.</param>
    /// <param name="store">The same log.</param>
    /// <param name="bus">RabbitMQ, as it is outside.</param>
    public GuestRun(string suite, string probe, string log, LogStore store, Uri bus)
    {
        (_suite, _probe, _log, _store, _bus) = (suite, probe, log, store, bus);
    }

    public string Source => _boots == 1 ? $"{_suite}-{_probe}" : $"{_suite}-{_probe}-{_boots}";

    private int Fight => _probe == "fentry" ? LongFight : Math.Min(LongFight, ShortFight);

    private TimeSpan Limit => TimeSpan.FromMinutes(15) + TimeSpan.FromMilliseconds(Storm + Fight);

    private string Folder => Path.Combine(Repository.Root, "artifacts/vm", Source);

    public CapturedRun MapsThatWereThere => Read("rows");

    public CapturedRun MapsJustBorn => Read("born");

    public CapturedRun AllAtOnce => Read("storm");

    public CapturedRun AllOnTheSameKeys => Read("fight");

    /// <summary>The maps of which the guest keeps a replica: of each kind, of one that was made again, and of the storm.</summary>
    public static IReadOnlyList<string> Replicas { get; } =
    [
        "xdp_hash_del", "tc_lru_up", "xdp_array_up", "sys_lpm_del", "sys_lpm_loose", "tc_phash_del", "xdp_parray_up", "xdp_plru_up",
        "no_sys_hash", "big_sys_val64k", "evict_xdp", "born_xdp", "storm", "storm_lru", "fight",
    ];

    /// <summary>Holds the replica of a map against the map.</summary>
    public async Task CheckReplicaAsync(string map)
    {
        var run = map.StartsWith("storm", StringComparison.Ordinal) ? AllAtOnce : map == "fight" ? AllOnTheSameKeys : map.StartsWith("born", StringComparison.Ordinal) ? MapsJustBorn : MapsThatWereThere;
        await run.CheckReplicaAsync(map, MapDump.Read(Path.Combine(Folder, "replica", $"{map}.json")));
    }

    /// <summary>The names of the rows that are made in a guest.</summary>
    /// <param name="command">rows or born.</param>
    public static IEnumerable<string> NamesOf(string command) => DriverNames.Of(command, command == "rows" ? Rows : []);

    /// <summary>Boots, and returns when everything is in the log.</summary>
    public async Task RunAsync()
    {
        while (!await BootAsync())
            Console.WriteLine($"    {Source}: {_trouble}; once more");
    }

    /// <returns>
    /// False: the guest's kernel fell victim to the emulator, which now and then runs an instruction that the kernel has just patched,
    /// or it stands still on both CPUs. What happens each time is a failure all the same: it is booted no more than five times.
    /// </returns>
    private async Task<bool> BootAsync()
    {
        _boots++;
        _stoodStill = false;
        if (Directory.Exists(Folder))
            Directory.Delete(Folder, recursive: true);
        Directory.CreateDirectory(Folder);
        await Command.RunAsync(Folder, Path.Combine(Repository.Bin, "maplog"), "source", "add", Source, "--log", _log);
        File.Copy(Path.Combine(AppContext.BaseDirectory, "guest"), Path.Combine(Folder, "guest"));

        // This machine's loopback, seen from inside.
        var bus = new UriBuilder(_bus) { Host = "10.0.2.2" }.Uri;
        var log = new NpgsqlConnectionStringBuilder(_log) { Host = "10.0.2.2" }.ConnectionString;
        using var guest = new Command(Folder,
        [
            Path.Combine(Repository.Root, "tests/Vm/vm"), "-k", _suite, "-m", $"{MiB}", "-t", $"{Limit.TotalSeconds:0}", "-w", Folder,
            "-r", Repository.Bin, "-r", Path.GetFullPath(Path.Combine(Repository.Bin, "../lib")), "-r", Repository.Driver, "--",
            "./guest", _probe, Source, log, bus.AbsoluteUri, Repository.Bin, Repository.Driver, $"{Changes}", $"{Storm}", $"{Fight}", string.Join(',', Replicas), "--", .. Rows,
        ]);
        try
        {
            await LetGoAsync(guest);
            var status = await guest.EndAsync();
            if (status != 0)
                throw new InvalidOperationException($"The guest ended with {status}.");
            return true;
        }
        catch (InvalidOperationException) when (_boots < MostBoots && TroubleOf(guest) is { } trouble)
        {
            _trouble = trouble;
            return false;
        }
        catch (InvalidOperationException e)
        {
            var daemon = Path.Combine(Folder, "capture.log");
            var lines = File.Exists(daemon) ? File.ReadLines(daemon).TakeLast(20) : [];
            throw new InvalidOperationException($"{e.Message}{guest.LastLines(60)}\nThe end of the daemon's log, {daemon}:\n{string.Join('\n', lines)}", e);
        }
        finally
        {
            await File.WriteAllLinesAsync(Path.Combine(Folder, "guest.log"), guest.Lines);
        }
    }

    private string? TroubleOf(Command guest)
    {
        // The whole guest, or the daemon alone, which then says so itself: that is no trouble of the emulator's.
        if (_stoodStill)
            return File.ReadLines(Path.Combine(Folder, "capture.log")).Any(l => l.Contains("has stood still", StringComparison.Ordinal)) ? null : $"nothing was logged for {Still.TotalSeconds:0} s";
        if (guest.Lines.Any(l => l.Contains("Oops: int3:", StringComparison.Ordinal) || l.Contains("] int3: 0000", StringComparison.Ordinal)))
            return "the emulator tripped over a patched instruction";
        // The same, where the console has lost the line that says so: then the code is all there is to see of it.
        if (guest.Lines.Any(l => l.Contains("Kernel panic", StringComparison.Ordinal)))
            return $"its kernel died, {guest.Lines.FirstOrDefault(l => l.Contains("RIP: 0010:", StringComparison.Ordinal))}";
        return guest.Lines.Any(l => l.Contains("soft lockup", StringComparison.Ordinal) || l.StartsWith("vm: the command did not end within", StringComparison.Ordinal)) ? "it stood still" : null;
    }

    // All changes are made: the guest may end when the log has them, and what else the maps hold by evictions and by writes that no
    // hook saw, which the background scan finds in its own time; or when nothing comes any more.
    private async Task LetGoAsync(Command guest)
    {
        await using var count = _store.Database.CreateCommand($"select count(*) from {_store.Schema}.mt_events where tenant_id = $1");
        count.Parameters.Add(new() { Value = Source });
        long before = -1;
        for (var since = Stopwatch.StartNew(); !File.Exists(Path.Combine(Folder, "done")); await Task.Delay(500))
        {
            if (guest.HasEnded)
                return;
            var now = (long)(await count.ExecuteScalarAsync())!;
            if (now != before)
                since.Restart();
            before = now;
            if (now == 0 || since.Elapsed < Still)
                continue;
            _stoodStill = true;
            guest.Terminate();
            return;
        }
        before = -1;
        var left = new Stack<(CapturedRun Run, string Row)>(new[] { AllAtOnce, AllOnTheSameKeys, MapsJustBorn, MapsThatWereThere }.SelectMany(run => run.Driver.Rows, (run, row) => (run, row.Key)));
        for (var since = Stopwatch.StartNew(); left.Count > 0 && since.Elapsed < ForTheScan && !guest.HasEnded; await Task.Delay(500))
        {
            while (left.TryPeek(out var next) && await next.Run.IsAllLoggedAsync(next.Row))
                left.Pop();
            var now = (long)(await count.ExecuteScalarAsync())!;
            if (now != before)
                since.Restart();
            before = now;
        }
        // What would be too much comes as well.
        await Task.Delay(Quiet);
        var heads = await new LogReader(_store).ReadHeadsAsync(Source);
        await File.WriteAllLinesAsync(Path.Combine(Folder, "going"), heads.Select(h => $"{h.Stream.Map} {h.Version.Value}"));
        File.Move(Path.Combine(Folder, "going"), Path.Combine(Folder, "go"));
    }

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } given ? int.Parse(given, CultureInfo.InvariantCulture) : otherwise;

    private CapturedRun Read(string command) => new(_probe, Source, new DriverRecord(Path.Combine(Folder, command)), new LogReader(_store));
}
