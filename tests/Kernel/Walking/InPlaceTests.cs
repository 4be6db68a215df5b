using System.Diagnostics;
using Maplog.Events;
using Maplog.Kernel;
using Maplog.Servers;
using Maplog.Tests.Kernel.Capturing;

namespace Maplog.Tests.Kernel.Walking;

/// <summary>A capture with the syscall probe, which sees nothing of what programs do: walks and scans must find all of it.</summary>
public sealed class InPlaceTests(TestPostgres postgres, ITestOutputHelper output)
{
    private const uint Entries = 3000;

    [Theory(Timeout = 300_000)]
    [InlineData(MapType.Hash, 0u)]
    [InlineData(MapType.LruHash, 0u)]
    [InlineData(MapType.Hash, MapFlags.NoPreallocation)]
    public async Task What_programs_write_through_pointers_make_and_delete_is_logged(MapType type, uint flags)
    {
        using var table = new PokedTable($"poked_{(int)type}_{flags}", type, 2 * Entries, flags);
        table.Make(0, Entries, state: 1);
        await using var capture = await CaptureProcess.StartAsync(postgres, 16 << 20, null, table.Map.Info.Name);
        await EqualAsync(capture, table);
        Assert.Equal(0, await CountAsync(capture, table, Origin.InPlace));

        table.Poke(0, 100, state: 2, step: 3);
        await EqualAsync(capture, table);
        Assert.Equal(100, await CountAsync(capture, table, Origin.InPlace));

        table.Drop(10, 50);
        table.Make(Entries, 20, state: 1);
        await EqualAsync(capture, table);
        Assert.Equal(100, await CountAsync(capture, table, Origin.InPlace));
        await capture.StopAsync();
    }

    [Theory(Timeout = 300_000)]
    [InlineData(MapType.Hash, 0u)]
    [InlineData(MapType.Hash, MapFlags.NoPreallocation)]
    public async Task A_counter_that_is_volatile_makes_no_event_and_travels_with_the_next_change(MapType type, uint flags)
    {
        using var table = new PokedTable($"volatile_{(int)type}_{flags}", type, 2 * Entries, flags);
        table.Make(0, Entries, state: 1);
        var name = table.Map.Info.Name;
        await using var capture = await CaptureProcess.StartAsync(postgres, 16 << 20, null, name, $"--volatile={name}:value[8:8]");
        await EqualAsync(capture, table);
        for (var i = 0; i < 5; i++)
        {
            table.Poke(0, Entries, state: 1);
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
        Assert.Equal(0, await CountAsync(capture, table, Origin.InPlace));

        table.Poke(7, 1, state: 2, packets: 0);
        var key = new byte[24];
        (key[0], key[16]) = (7, 5);
        BitConverter.TryWriteBytes(key.AsSpan(8), 7L * 77);
        while (await CountAsync(capture, table, Origin.InPlace) == 0)
            await Task.Delay(20, TestContext.Current.CancellationToken);
        Assert.True((await capture.FoldAsync(name)).Fold.Entries.TryGet(key, out var logged));
        Assert.Equal((2, 5), (BitConverter.ToInt64(logged), BitConverter.ToInt64(logged[8..])));
        Assert.Equal(1, await CountAsync(capture, table, Origin.InPlace));
        await capture.StopAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task A_refresh_logs_volatile_fields_by_themselves()
    {
        using var table = new PokedTable("vol_refresh", MapType.Hash, 2 * Entries);
        table.Make(0, Entries, state: 1);
        await using var capture = await CaptureProcess.StartAsync(
            postgres, 16 << 20, null, "vol_refresh", "--on-change-of=vol_refresh:value[0:8]", "--refresh=1s");
        await EqualAsync(capture, table);
        table.Poke(0, 10, state: 1);
        await EqualAsync(capture, table);
        Assert.Equal(10, await CountAsync(capture, table, Origin.InPlace));
        await capture.StopAsync();
    }

    private static Task<int> CountAsync(CaptureProcess capture, PokedTable table, Origin origin) =>
        capture.CountAsync(table.Map.Info.Name, origin, StreamVersion.None);

    private async Task EqualAsync(CaptureProcess capture, PokedTable table)
    {
        var began = Stopwatch.GetTimestamp();
        while (!await IsEqualAsync(capture, table))
            await Task.Delay(20, TestContext.Current.CancellationToken);
        output.WriteLine($"equal after {Stopwatch.GetElapsedTime(began).TotalMilliseconds:0} ms");
    }

    private static async Task<bool> IsEqualAsync(CaptureProcess capture, PokedTable table)
    {
        var (fold, _, _) = await capture.FoldAsync(table.Map.Info.Name);
        var logged = new Dictionary<string, string>();
        if (fold.Generation is null)
            return false;
        foreach (var entry in fold.Entries)
            logged[Convert.ToHexString(entry.Key)] = Convert.ToHexString(entry.Value);
        var map = WalkTests.Read(table.Map);
        return map.Count == logged.Count && map.All(e => logged.GetValueOrDefault(e.Key) == e.Value);
    }
}
