using System.Diagnostics;
using Maplog.Events;
using Maplog.Log;
using Maplog.Tests.Recorded;
using Npgsql;

namespace Maplog.Tests.Vm;

/// <summary>A node that goes down without a word and comes back with another boot id and an empty bpffs, against the same log; a replica of its map outside.</summary>
public sealed class RebootTests(GuestRuns guests) : IAsyncDisposable
{
    private const int MostBoots = 4;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10), Patience = TimeSpan.FromMinutes(5);

    private readonly string _suite = GuestRuns.Suites[0];
    private readonly string _folder = Path.Combine(Repository.Root, "artifacts/vm/reboot");
    private readonly string _pin = $"/sys/fs/bpf/maplog_reboot_{Environment.ProcessId}";
    private readonly StreamName _stream = new("reboot", "reborn");
    private string _log = "";
    private LogReader _reader = null!;

    [Fact]
    public async Task After_a_reboot_the_map_that_is_made_again_is_the_next_generation_and_its_replica_follows()
    {
        (_log, var store) = await guests.LogAsync();
        _reader = new LogReader(store);
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
        Directory.CreateDirectory(_folder);
        File.Copy(Path.Combine(AppContext.BaseDirectory, "reboot"), Path.Combine(_folder, "reboot"));
        await Command.RunAsync(_folder, Path.Combine(Repository.Bin, "maplog"), "source", "add", _stream.Source, "--log", _log);
        using var replicator = new Command(_folder,
            Path.Combine(Repository.Bin, "maplog-replicator"), "--source", _stream.Source, "--map", _stream.Map, "--pin", Path.Combine(_pin, "map"), "--registry", Path.Combine(_pin, "registry"), "--log", _log, "--bus", "amqp://guest:guest@127.0.0.1:1/");

        await BootAsync(1);
        await ReplicaIsAsync(1, replicator);
        var first = await ReadAsync();
        await BootAsync(2);
        await ReplicaIsAsync(2, replicator);
        var both = await ReadAsync();
        Assert.Equal(first.Select(e => (e.Version, e.Kind)), both[..first.Count].Select(e => (e.Version, e.Kind)));

        // One history: the node's first boot, what nobody knows of its end, its second.
        var second = both[first.Count..];
        var (before, after) = (Single<MapOpened>(first), Single<MapOpened>(second));
        Assert.NotEqual(before.BootId, after.BootId);
        Assert.Equal((1, 2), (before.Epoch, after.Epoch));
        Assert.Equal((2, after.BootId), (Single<EpochStarted>(second).Epoch, Single<EpochStarted>(second).BootId));
        Assert.Equal(new MapClosed(2, before.MapId, before.BootId), Single<MapClosed>(second));
        Assert.Equal(["late-attach"], Gaps(first));
        Assert.Equal(["reboot", "late-attach"], Gaps(second));
        Assert.Equal(
            [EventKind.EpochStarted, EventKind.GapFound, EventKind.MapClosed, EventKind.MapOpened, EventKind.GapFound],
            second.Where(e => e.Kind is not EventKind.Sealed && !e.Kind.IsChange()).Select(e => e.Kind));
        // What was there before the daemon is found by a scan; the rest is seen as it is done, once each: 8 updates, then the deletes.
        Assert.Equal((9, 1), Changes(first));
        Assert.Equal((9, 2), Changes(second));
    }

    public ValueTask DisposeAsync()
    {
        if (Directory.Exists(_pin))
            Directory.Delete(_pin, recursive: true);
        return ValueTask.CompletedTask;
    }

    private static T Single<T>(List<Logged> events) where T : class => Assert.IsType<T>(Assert.Single(events, e => e.Note is T).Note);

    private static List<string> Gaps(List<Logged> events) => [.. events.Select(e => e.Note).OfType<GapFound>().Select(g => g.Reason)];

    private static (int Updates, int Deletes) Changes(List<Logged> events) =>
        (events.Count(e => e.Kind.HasValue()), events.Count(e => e.Kind is EventKind.EntryDeleted));

    // Until the map is made and the log has all of it; then the guest is let go down. The emulator now and then trips over a patched instruction.
    private async Task BootAsync(int round)
    {
        for (var boot = 1; ; boot++)
        {
            var log = new NpgsqlConnectionStringBuilder(_log) { Host = "10.0.2.2" }.ConnectionString;
            using var guest = new Command(_folder,
                Path.Combine(Repository.Root, "tests/Vm/vm"), "-k", _suite, "-m", "3000", "-t", $"{Limit.TotalSeconds:0}", "-w", _folder,
                "-r", Repository.Bin, "-r", Path.GetFullPath(Path.Combine(Repository.Bin, "../lib")), "--", "./reboot", $"{round}", _stream.Source, log, Repository.Bin);
            while (!File.Exists(Made(round)) && !guest.HasEnded)
                await Task.Delay(200);
            if (File.Exists(Made(round)))
            {
                await UntilAsync(async () => guest.HasEnded || (await FoldAsync()).SequenceEqual(MapDump.Read(Made(round)).OrderBy(e => e.Key)), () => $"The log does not come to what the map holds.{guest.LastLines(20)}");
                await File.WriteAllTextAsync(Path.Combine(_folder, $"go-{round}"), "");
            }
            var status = await guest.EndAsync();
            await File.WriteAllLinesAsync(Path.Combine(_folder, $"guest-{round}-{boot}.log"), guest.Lines);
            if (status == 0)
            {
                Assert.Contains(guest.Lines, l => l.StartsWith("reboot: Linux", StringComparison.Ordinal) && l.EndsWith(" 0 pins", StringComparison.Ordinal));
                return;
            }
            if (boot == MostBoots || File.Exists(Made(round)) || !guest.Lines.Any(l => l.Contains("int3:", StringComparison.Ordinal)))
                throw new InvalidOperationException($"The guest ended with {status}.{guest.LastLines(60)}");
        }
    }

    private string Made(int round) => Path.Combine(_folder, $"made-{round}");

    private async Task ReplicaIsAsync(int round, Command replicator)
    {
        var made = MapDump.Read(Made(round)).OrderBy(e => e.Key).ToList();
        var dump = Path.Combine(_folder, $"replica-{round}.json");
        await UntilAsync(
            async () =>
            {
                if (!File.Exists(Path.Combine(_pin, "map")))
                    return false;
                await Command.RunAsync(_folder, "sh", "-c", $"bpftool -j map dump pinned {_pin}/map > {dump}");
                return MapDump.Read(dump).OrderBy(e => e.Key).SequenceEqual(made);
            },
            () => $"The replica is not what the map was in boot {round}.{replicator.LastLines(20)}");
        Assert.False(replicator.HasEnded);
    }

    private async Task<List<KeyValuePair<string, string>>> FoldAsync() => [.. (await LoggedMap.ReadAsync(_reader, _stream)).Fold().OrderBy(e => e.Key)];

    private async Task<List<Logged>> ReadAsync()
    {
        var events = new List<Logged>();
        await foreach (var page in _reader.ReadAsync(_stream, cancellation: TestContext.Current.CancellationToken))
        {
            foreach (var logged in page)
                events.Add(new Logged(logged.Version, logged.Kind, logged.Kind.IsChange() ? null : NoteCodec.Read(logged.Kind, logged.Data.Span)));
        }
        return events;
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo, Func<string> why)
    {
        for (var since = Stopwatch.StartNew(); !await isSo(); await Task.Delay(200))
            Assert.True(since.Elapsed < Patience, why());
    }

    private sealed record Logged(StreamVersion Version, EventKind Kind, object? Note);
}
