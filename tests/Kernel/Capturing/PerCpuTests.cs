using System.Globalization;
using Maplog.Kernel;
using Maplog.Servers;
using Maplog.Tests.Recorded;

namespace Maplog.Tests.Kernel.Capturing;

/// <summary>Per-CPU maps, of which an update changes the value of one CPU.</summary>
public sealed class PerCpuTests(TestPostgres postgres)
{
    private const int Keys = 8, Updates = 800, ValueSize = 64;

    [Theory(Timeout = 300_000)]
    [InlineData(MapType.PerCpuHash)]
    [InlineData(MapType.PerCpuArray)]
    public async Task An_event_carries_the_values_of_the_CPUs_that_changed_and_every_reader_gets_the_whole_value(MapType type)
    {
        var name = $"cpus_{(int)type}";
        using var map = BpfMap.Create(name, type, 4, ValueSize, Keys);
        await using var capture = await CaptureProcess.StartAsync(postgres, 16 << 20, null, name);
        var replica = capture.Replicate(name);
        await capture.WatchesAsync(name);
        var stream = $"{CaptureProcess.Source}/{name}";

        var values = Enumerable.Range(0, Keys).Select(_ => new byte[map.Info.ValueBytes]).ToArray();
        var dice = new Random(22);
        Change(map, values, dice, Updates / 2);
        await capture.LoggedAsync(name, Updates / 2);
        Assert.Contains("equal", await MaplogAsync(capture, "verify", stream, $"{map.Info.Id}", "--wait", "60"), StringComparison.Ordinal);
        await MaplogAsync(capture, "snapshot", stream);
        if (type == MapType.PerCpuHash)
            await RemoveFromReplicaAsync(capture, stream, replica);
        Change(map, values, dice, Updates / 2);
        foreach (var same in new[] { $"{map.Info.Id}", replica })
            Assert.Contains("equal", await MaplogAsync(capture, "verify", stream, same, "--wait", "60"), StringComparison.Ordinal);
        var copy = Path.Combine(Path.GetDirectoryName(replica)!, "copy");
        await MaplogAsync(capture, "replay", stream, "--into", copy, "--pin-root", capture.Registry);
        Assert.Contains("equal", await MaplogAsync(capture, "verify", stream, copy), StringComparison.Ordinal);
        await capture.StopAsync();

        var fold = (await capture.FoldAsync(name)).Fold;
        for (var key = 0; key < Keys; key++)
        {
            Assert.True(fold.Entries.TryGet(Bytes.Of(key), out var logged));
            Assert.Equal(Convert.ToHexString(values[key]), Convert.ToHexString(logged));
            Assert.Equal(Convert.ToHexStringLower(values[key]), await AskAsync(capture,
                $"select encode(value_bytes, 'hex') from audit.state_at_version('{stream}', {fold.Version}) where key_bytes = '\\x{Convert.ToHexString(Bytes.Of(key))}'"));
        }
        var size = double.Parse(await AskAsync(capture, $"select avg(octet_length(bdata)) from maplog.mt_events where stream_id = '{stream}' and type = 'entry_updated'"), CultureInfo.InvariantCulture);
        var whole = double.Parse(await AskAsync(capture,
            $"select avg(octet_length(bdata) - coalesce(octet_length(maplog.change_parts(bdata)), {map.Info.ValueBytes}) + {map.Info.ValueBytes}) from maplog.mt_events where stream_id = '{stream}' and type = 'entry_updated'"),
            CultureInfo.InvariantCulture);
        TestContext.Current.TestOutputHelper?.WriteLine($"{type}, {PossibleCpus.Count} CPUs of {ValueSize} bytes: {size:0.0} bytes an update, {whole:0.0} with whole values.");
        // Two CPUs: 68 bytes of 128; about one of 32 is whole.
        Assert.InRange(whole - size, (map.Info.ValueBytes - 4 - ValueSize) * 0.85, map.Info.ValueBytes);
    }

    // What somebody else removed cannot take parts: the next of them has the replica compared with the log.
    private static async Task RemoveFromReplicaAsync(CaptureProcess capture, string stream, string replica)
    {
        await MaplogAsync(capture, "verify", stream, replica, "--wait", "60");
        using var opened = BpfMap.OpenPinned(replica);
        Assert.True(opened.Delete(Bytes.Of(3)));
    }

    private static void Change(BpfMap map, byte[][] values, Random dice, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var key = i % Keys;
            dice.NextBytes(values[key].AsSpan(dice.Next(PossibleCpus.Count) * ValueSize, ValueSize));
            map.Update(Bytes.Of(key), values[key]);
        }
    }

    private static async Task<string> MaplogAsync(CaptureProcess capture, params string[] arguments) =>
        string.Join('\n', await Command.RunAsync("/", [Path.Combine(Repository.Bin, "maplog"), .. arguments, "--log", capture.Connection]));

    private static async Task<string> AskAsync(CaptureProcess capture, string sql)
    {
        await using var command = capture.Store.Database.CreateCommand(sql);
        return Convert.ToString(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken), CultureInfo.InvariantCulture)!;
    }
}
