using System.Runtime.InteropServices;
using Maplog.Btf;
using Maplog.Kernel;
using Maplog.Servers;
using Maplog.Tests.Recorded;
using Maplog.Tests.Unit.Btf;

namespace Maplog.Tests.Kernel.Capturing;

/// <summary>Maps with a spin lock, a timer or a kernel pointer in the value: what the caller of an update has there does not reach the map.</summary>
public sealed class KernelBytesTests(TestPostgres postgres)
{
    [Theory(Timeout = 300_000)]
    [InlineData(MapType.Hash)]
    [InlineData(MapType.Array)]
    [InlineData(MapType.PerCpuHash)]
    public async Task An_update_is_logged_as_the_map_has_it_and_no_scan_corrects_it(MapType type)
    {
        var name = $"own_{(int)type}";
        using var map = Make(name, type);
        using var ticks = BpfMap.Create("maplog_ticks", MapType.Array, 4, 8, 512, MapFlags.Mappable);
        await using var capture = await CaptureProcess.StartAsync(postgres, 16 << 20, null, name, "maplog_ticks");
        var replica = capture.Replicate(name);
        await capture.WatchesAsync(name);

        var (keys, values) = (new byte[8 * 4], new byte[8 * map.Info.ValueBytes]);
        new Random(1).NextBytes(values);
        for (var i = 0; i < 8; i++)
            Bytes.Of(i).CopyTo(keys, i * 4);
        map.UpdateBatch(keys, values, 4);
        for (var i = 4; i < 8; i++)
            map.Update(Bytes.Of(i), values.AsSpan(i * map.Info.ValueBytes, map.Info.ValueBytes));
        while (!File.Exists(replica))
            await Task.Delay(100, TestContext.Current.CancellationToken);
        // Each of these is seen by a look at the map alone; all maps are looked at in turns.
        for (var round = 1; round <= 3; round++)
            await ScannedAsync(capture, ticks, round);
        foreach (var same in new[] { $"{map.Info.Id}", replica })
        {
            string[] verify = ["verify", $"{CaptureProcess.Source}/{name}", same, "--wait", "60", "--log", capture.Connection];
            var said = await Command.RunAsync("/", [Path.Combine(Repository.Bin, "maplog"), .. verify]);
            Assert.Contains("8 entries", said[0], StringComparison.Ordinal);
        }
        await capture.StopAsync();

        var (fold, changes, gaps) = await capture.FoldAsync(name);
        Assert.Equal((8, 8, 0), (fold.Entries.Count, changes, gaps));
        foreach (var (key, value) in map.ReadAll())
        {
            Assert.True(fold.Entries.TryGet(Bytes.Of(key), out var logged));
            Assert.Equal(Convert.ToHexString(value), Convert.ToHexString(logged));
        }
    }

    // By hand, because clang 14 drops the tag of a pointer to a struct.
    private static BpfMap Make(string name, MapType type)
    {
        var btf = new BtfBuilder();
        var (u32, u64) = (btf.Integer("unsigned int", 4), btf.Integer("unsigned long long", 8));
        var task = btf.Pointer(btf.Alias(BtfKind.TypeTag, btf.Struct("task_struct", 4, ("pid", u32, 0)), "kptr"));
        var place = btf.Struct("place", 24, ("packets", u32, 0), ("task", task, 64), ("bytes", u64, 128));
        if (type != MapType.PerCpuHash)
        {
            var spinLock = btf.Struct("bpf_spin_lock", 4, ("val", u32, 0));
            var timer = btf.Struct("bpf_timer", 16, ("low", u64, 0), ("high", u64, 64));
            place = btf.Struct(
                "locked", 40, ("packets", u32, 0), ("lock", spinLock, 32), ("task", task, 64), ("timer", timer, 128), ("bytes", u64, 256));
        }
        using var loaded = MapBtf.Load(btf.Build());
        return BpfMap.Create(name, type, 4, type == MapType.PerCpuHash ? 24 : 40, 8, btf: loaded, btfKeyType: u32, btfValueType: place);
    }

    private static async Task ScannedAsync(CaptureProcess capture, BpfMap ticks, int round)
    {
        new MappedArray<ulong>(ticks)[0] = (ulong)round;
        while (!await HasSeenAsync(capture, (ulong)round))
            await Task.Delay(100, TestContext.Current.CancellationToken);
    }

    private static async Task<bool> HasSeenAsync(CaptureProcess capture, ulong round)
    {
        var fold = (await capture.FoldAsync("maplog_ticks")).Fold;
        return fold.Generation is not null && fold.Entries.TryGet(Bytes.Of(0), out var value) && MemoryMarshal.Read<ulong>(value) == round;
    }
}
