using Maplog.Events;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Servers;
using Maplog.Snapshots;
using Maplog.Tests.Integration.Cli;

namespace Maplog.Tests.Kernel.Cli;

public sealed class ReplayTests(TestPostgres postgres)
{
    [Fact]
    public async Task The_past_is_written_into_a_new_map_and_into_one_that_is_there()
    {
        await using var log = await FilledAsync(MapType.Hash);
        using var folder = new PinFolder();
        var pin = folder["then"];

        var dry = await ReplayAsync(log, folder, "--version", "4", "--into", pin, "--dry-run");
        Assert.Contains("would be made with", dry.Output, StringComparison.Ordinal);
        Assert.False(File.Exists(pin));

        Assert.Equal(0, (await ReplayAsync(log, folder, "--version", "4", "--into", pin)).Code);
        Assert.Equal(["1=1", "2=2", "3=3"], Content(pin));
        Assert.Equal(1, (await log.RunAsync("diff", "lb-1/ct_map", pin)).Code);

        dry = await ReplayAsync(log, folder, "--into", pin, "--dry-run");
        Assert.Contains("would get 1 add, 1 update, 1 delete; 1 entry is right already. Order: updates in place, then adds, then deletes", dry.Output, StringComparison.Ordinal);
        Assert.Equal(["1=1", "2=2", "3=3"], Content(pin));

        Assert.Equal(0, (await ReplayAsync(log, folder, "--into", pin)).Code);
        Assert.Equal(["1=9", "3=3", "4=4"], Content(pin));
        Assert.Equal(0, (await log.RunAsync("diff", "lb-1/ct_map", pin)).Code);
        Assert.Equal(0, (await log.RunAsync("verify", "lb-1/ct_map", pin)).Code);

        using var before = BpfMap.OpenPinned(pin);
        Assert.Equal(0, (await ReplayAsync(log, folder, "--version", "3", "--into", pin, "--swap")).Code);
        Assert.Equal(["1=1", "2=2"], Content(pin));
        using var after = BpfMap.OpenPinned(pin);
        Assert.NotEqual(before.Info.Id, after.Info.Id);
    }

    [Theory]
    [InlineData(MapType.LruHash)]
    [InlineData(MapType.Array)]
    [InlineData(MapType.PerCpuHash)]
    public async Task Each_kind_becomes_what_it_was(MapType type)
    {
        await using var log = await FilledAsync(type);
        using var folder = new PinFolder();
        foreach (var version in new[] { "4", "7", "3" })
        {
            Assert.Equal("", (await ReplayAsync(log, folder, "--version", version, "--into", folder["then"])).Error.Replace(Unseen, "", StringComparison.Ordinal));
            Assert.Equal(0, (await log.RunAsync("diff", "lb-1/ct_map", folder["then"], "--from", version)).Code);
        }
    }

    [Theory]
    [InlineData(MapType.Hash)]
    [InlineData(MapType.LruHash)]
    [InlineData(MapType.Array)]
    [InlineData(MapType.PerCpuHash)]
    public async Task From_a_snapshot_and_the_events_since_it_becomes_what_it_was(MapType type)
    {
        await using var log = await FilledAsync(type);
        await using var store = new LogStore(new LogOptions { ConnectionString = log.Connection });
        Assert.NotNull(await new SnapshotTaker(store).TakeAsync(StreamName.Parse("lb-1/ct_map"), new StreamVersion(4), cancellation: TestContext.Current.CancellationToken));
        using var folder = new PinFolder();
        foreach (var version in new[] { "4", "5", "7", "3" })
        {
            var pin = folder[$"at{version}"];
            var run = await ReplayAsync(log, folder, "--version", version, "--into", pin);
            Assert.Equal("", run.Error.Replace(Unseen, "", StringComparison.Ordinal));
            Assert.Contains($"{(version == "3" ? 2 : 3)} entries, lb-1/ct_map at version {version}.", type == MapType.Array ? run.Output.Replace("4 entries", "3 entries", StringComparison.Ordinal) : run.Output, StringComparison.Ordinal);
            Assert.Equal(0, (await log.RunAsync("diff", "lb-1/ct_map", pin, "--from", version)).Code);
        }
        await using (var damage = store.Database.CreateCommand("update maplog.snapshot_chunks set data = set_byte(data, 3, 255)"))
            await damage.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        var whole = await ReplayAsync(log, folder, "--into", folder["whole"]);
        Assert.Contains("is damaged", whole.Error, StringComparison.Ordinal);
        Assert.Equal(0, whole.Code);
        Assert.Equal(0, (await log.RunAsync("verify", "lb-1/ct_map", folder["whole"])).Code);
    }

    [Fact]
    public async Task A_pin_of_another_shape_is_refused_and_stays_as_it_is()
    {
        await using var log = await FilledAsync(MapType.Hash);
        using var folder = new PinFolder();
        using (var other = BpfMap.Create("other", MapType.Hash, 4, 16, 64))
            other.Pin(folder["then"]);
        var run = await ReplayAsync(log, folder, "--into", folder["then"]);
        Assert.Equal(1, run.Code);
        Assert.Contains("cannot take the content of lb-1/ct_map: it is Hash with keys of 4 bytes, values of 16 bytes", run.Error, StringComparison.Ordinal);
    }

    private static Task<CommandRun> ReplayAsync(CommandLog log, PinFolder folder, params string[] arguments) =>
        log.RunAsync(["replay", "lb-1/ct_map", .. arguments, "--pin-root", folder["registry"]]);

    private static IEnumerable<string> Content(string pin)
    {
        using var map = BpfMap.OpenPinned(pin, MapAccess.Read);
        byte[] keys = new byte[4 * 64], values = new byte[8 * 64];
        var count = map.Scan(64).Next(keys, values);
        return Enumerable.Range(0, count).Select(i => $"{BitConverter.ToInt32(keys, i * 4)}={BitConverter.ToInt32(values, i * 8)}").Order(StringComparer.Ordinal);
    }

    /// <summary>Version 4: 1, 2, 3. Version 7, the head: 1 changed, 2 gone, 4 new.</summary>
    private async Task<CommandLog> FilledAsync(MapType type)
    {
        var log = await CommandLog.MakeAsync(postgres);
        var shape = new MapShape((int)type, 4, 8, 64, 0, type.IsPerCpu() ? PossibleCpus.Count : 0);
        log.Note(CommandLog.Map(shape));
        foreach (var key in new[] { 1, 2, 3 })
            log.Change(EventKind.EntryAdded, Bytes.Of(key), Bytes.Of(key, shape.ValueBytes));
        log.Change(EventKind.EntryUpdated, Bytes.Of(1), Bytes.Of(9, shape.ValueBytes));
        if (type == MapType.Array)
            log.Change(EventKind.EntryUpdated, Bytes.Of(2), Bytes.Of(0, shape.ValueBytes));
        else
            log.Change(EventKind.EntryDeleted, Bytes.Of(2));
        log.Change(EventKind.EntryAdded, Bytes.Of(4), Bytes.Of(4, shape.ValueBytes));
        await log.CommitAsync();
        return log;
    }

    // These tests have a BPF file system of their own, which the command tells where it can see that.
    private static string Unseen => MountView.WhyUnseen(Bpffs.Root) is { } why ? $"maplog: {why}\n" : "\0";
}
