using Maplog.Kernel;
using Maplog.Replicas;
using Maplog.Servers;
using Maplog.Tests.Recorded;

namespace Maplog.Tests.Kernel.Refusals;

/// <summary>Daemons that cannot do what they are asked to: the last line is one sentence that says why and what to do, and the exit is not zero.</summary>
public sealed class RefusalTests(TestPostgres postgres) : IDisposable
{
    private const string Source = "refused", NoBus = "amqp://guest:guest@127.0.0.1:1", AwayLog = "Host=127.0.0.1;Port=1;Username=maplog;Database=maplog";

    private static readonly string Capture = Path.Combine(Repository.Bin, "maplog-capture"), Replicator = Path.Combine(Repository.Bin, "maplog-replicator"), Maplog = Path.Combine(Repository.Bin, "maplog");

    private readonly PinFolder _pins = new();

    [Fact]
    public async Task A_map_type_that_cannot_be_replicated_is_refused_by_name()
    {
        using var ring = BpfMap.Create("maplog_ringbuf", MapType.RingBuffer, 0, 0, 4096);
        await RefusedAsync(1, [Capture, "--source", Source, "--watch", "maplog_ringbuf", "--log", await LogAsync(), .. Hook()], "maplog_ringbuf", "cannot be replicated");
    }

    [Fact]
    public async Task A_probe_that_this_kernel_has_not_is_refused_with_the_kernels_reason() =>
        await RefusedAsync(1, [Capture, "--source", Source, "--watch", "x", "--log", await LogAsync(), "--bus", NoBus, "--probe", "kprobe", .. Pins()], "No probe could be attached", "kprobe");

    [Fact]
    public async Task Without_privileges_the_missing_capability_is_named_also_while_the_log_is_away() =>
        await RefusedAsync(1, AsNobody("maplog-capture", ["--source", Source, "--watch", "x", "--log", AwayLog, .. Hook()]), "CAP_");

    [Theory]
    [InlineData("maplog-capture", "--watch", "x", "--pin-root")]
    [InlineData("maplog-replicator", "--map", "x", "--pin", "/sys/fs/bpf/maplog_none", "--registry")]
    public async Task Without_privileges_the_missing_capability_is_named_also_where_others_have_pinned_the_maps_before(string daemon, params string[] what)
    {
        var folder = _pins["registered"];
        WriterRegistry.Open(folder).Dispose();
        await RefusedAsync(1, ["setpriv", "--bounding-set=-all", "--inh-caps=-all", Path.Combine(Repository.Bin, daemon), "--source", Source, "--log", AwayLog, "--bus", NoBus, .. what, folder], "CAP_BPF");
    }

    [Fact]
    public async Task A_second_capture_of_a_source_is_refused()
    {
        var log = await LogAsync();
        using var first = new Command(_pins.Folder, [Capture, "--source", Source, "--watch", "x", "--log", log, .. Hook()]);
        await first.SaysAsync("Capturing source");
        await RefusedAsync(1, [Capture, "--source", Source, "--watch", "x", "--log", log, .. Hook()], "has a writer already");
        first.Terminate();
        Assert.Equal(0, await first.EndAsync());
    }

    [Fact]
    public async Task A_log_without_a_schema_is_refused_with_the_command_that_makes_it()
    {
        var empty = await postgres.CreateDatabaseAsync("empty");
        await RefusedAsync(1, [Capture, "--source", Source, "--watch", "x", "--log", empty, .. Hook()], "maplog migrate");
        await RefusedAsync(1, [Replicator, "--source", Source, "--map", "x", "--pin", _pins["x"], "--registry", _pins["r"], "--log", empty], "maplog migrate");
    }

    [Fact]
    public async Task A_source_that_the_log_does_not_know_is_refused_with_the_command_that_adds_it() =>
        await RefusedAsync(1, [Capture, "--source", "nobody", "--watch", "x", "--log", await LogAsync(), .. Hook()], "maplog source add nobody");

    [Fact]
    public async Task A_wrong_connection_string_is_refused() =>
        await RefusedAsync(2, [Capture, "--source", Source, "--watch", "x", "--log", "Host", .. Hook()], "Maplog:Log:ConnectionString");

    [Fact]
    public async Task A_log_that_is_away_is_told_of_and_waited_for()
    {
        using var capture = new Command("/", [Capture, "--source", Source, "--watch", "x", "--log", AwayLog, .. Hook()]);
        await capture.SaysAsync("127.0.0.1:1");
        await capture.SaysAsync("Waiting for the log");
        capture.Terminate();
        Assert.Equal(0, await capture.EndAsync());
    }

    [Fact]
    public async Task A_replica_pin_of_another_shape_is_refused_and_left_as_it_is()
    {
        var log = await LogAsync();
        using var map = BpfMap.Create("maplog_shape", MapType.Hash, 8, 8, 16);
        map.Update(new byte[8], new byte[8]);
        using var other = BpfMap.Create("maplog_other", MapType.Hash, 4, 8, 16);
        other.Pin(_pins["other"]);
        using var capture = new Command(_pins.Folder, [Capture, "--source", Source, "--watch", "maplog_shape", "--log", log, .. Hook()]);
        await capture.SaysAsync($"{Source}/maplog_shape: map ");
        await RefusedAsync(1, [Replicator, "--source", Source, "--map", "maplog_shape", "--pin", _pins["other"], "--registry", _pins["r"], "--log", log], _pins["other"], "key");
        using var after = BpfMap.OpenPinned(_pins["other"]);
        Assert.Equal(other.Info.Id, after.Info.Id);
        capture.Terminate();
        Assert.Equal(0, await capture.EndAsync());
    }

    [Fact]
    public async Task A_frozen_map_that_is_no_replica_yet_is_refused_with_what_to_do()
    {
        var log = await LogAsync();
        using var map = BpfMap.Create("maplog_frost", MapType.Hash, 8, 8, 16);
        map.Update(new byte[8], new byte[8]);
        using var capture = new Command(_pins.Folder, [Capture, "--source", Source, "--watch", "maplog_frost", "--log", log, .. Hook()]);
        await capture.SaysAsync($"{Source}/maplog_frost: map ");
        using (var replica = BpfMap.Create("maplog_frost", MapType.Hash, 8, 8, 16))
        {
            replica.Pin(_pins["frozen"]);
            replica.Freeze();
        }
        using var replicator = new Command("/", [Replicator, "--source", Source, "--map", "maplog_frost", "--pin", _pins["frozen"], "--registry", _pins["r"], "--log", log]);
        await replicator.SaysAsync("is frozen, so no replicator can write it: remove that pin, or choose another pin");
        Assert.Equal(1, await replicator.EndAsync());
        capture.Terminate();
        Assert.Equal(0, await capture.EndAsync());
    }

    public void Dispose() => _pins.Dispose();

    private string[] Pins() => ["--stay-attached", "false", "--pin-root", _pins["capture"]];

    // The user nobody may not be able to reach this repository, for example below root's home: the programs are mounted in a place that is
    // open to all, in a mount namespace of their own.
    private static string[] AsNobody(string program, params string[] arguments) =>
    [
        "unshare", "--mount", "--propagation", "private", "sh", "-c",
        "mount --bind \"$0\" /mnt && exec setpriv --reuid=65534 --regid=65534 --clear-groups /mnt/bin/\"$@\"",
        Path.GetDirectoryName(Repository.Bin)!, program, .. arguments,
    ];

    private string[] Hook() => ["--bus", NoBus, "--probe", "syscall", .. Pins()];

    private async Task<string> LogAsync()
    {
        if (!File.Exists(Capture))
            await Command.RunAsync(Repository.Root, "scripts/build");
        var log = await postgres.CreateDatabaseAsync("refusals");
        await Command.RunAsync("/", Maplog, "migrate", "--log", log);
        await Command.RunAsync("/", Maplog, "source", "add", Source, "--log", log);
        return log;
    }

    /// <param name="status">The exit status.</param>
    /// <param name="command">The command.</param>
    /// <param name="words">What must stand in one line of what it says.</param>
    private static async Task RefusedAsync(int status, string[] command, params string[] words)
    {
        using var refused = new Command("/", command);
        var ended = await refused.EndAsync(TimeSpan.FromMinutes(2));
        Assert.True(ended == status, $"It ended with {ended}:{refused.LastLines(10)}");
        Assert.True(refused.Lines.Any(l => words.All(w => l.Contains(w, StringComparison.OrdinalIgnoreCase))), $"No line has {string.Join(" and ", words)}:{refused.LastLines(10)}");
        Assert.DoesNotContain(refused.Lines, l => l.TrimStart().StartsWith("at Maplog.", StringComparison.Ordinal));
    }
}
