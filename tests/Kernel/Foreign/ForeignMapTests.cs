using Maplog.Kernel;
using Maplog.Servers;
using Maplog.Tests.Kernel.Capturing;

namespace Maplog.Tests.Kernel.Foreign;

/// <summary>Maps of a watched name that nobody made for a log: too large for an int, or of a kind that cannot be logged.</summary>
public sealed class ForeignMapTests(TestPostgres postgres)
{
    private const string Name = "maplog_alien";

    [Theory(Timeout = 300_000)]
    [InlineData(2_147_483_648)]
    [InlineData(uint.MaxValue)]
    public async Task A_map_with_room_for_more_entries_than_an_int_counts_is_logged_and_compared(uint entries)
    {
        using var map = BpfMap.Create(Name, MapType.LpmTrie, 8, 8, entries);
        await using var capture = await CaptureProcess.StartAsync(postgres, 1 << 20, null, Name);
        await capture.WatchesAsync(Name);
        map.Update([32, 0, 0, 0, 10, 0, 0, 1], new byte[8]);
        await capture.LoggedAsync(Name, 3);
        Assert.Equal(entries, (await capture.FoldAsync(Name)).Fold.Shape?.MaxEntries);
        await MaplogAsync(capture, "verify", $"{CaptureProcess.Source}/{Name}", Name);
        await capture.StopAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task A_kind_that_cannot_be_logged_does_not_end_a_start_that_has_something_else_to_watch()
    {
        using var ring = BpfMap.Create(Name, MapType.RingBuffer, 0, 0, 4096);
        using var map = BusyMap.Create("maplog_native");
        await using var capture = await CaptureProcess.StartAsync(postgres, 1 << 20, null, Name, "maplog_native");
        await capture.WatchesAsync("maplog_native");
        await capture.SaysAsync($"Map {Name} (id {ring.Info.Id}) matches '{Name}', but cannot be replicated");
        await capture.StopAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task A_kind_that_cannot_be_logged_does_not_end_the_next_start_of_a_stream()
    {
        var map = BusyMap.Create(Name);
        await using var capture = await CaptureProcess.StartStayingAsync(postgres, 1 << 20, Name);
        await capture.WatchesAsync(Name);
        map.Dispose();
        await capture.SaysAsync($"map {map.Info.Id} is gone");
        using var ring = BpfMap.Create(Name, MapType.RingBuffer, 0, 0, 4096);
        await capture.SaysAsync($"Map {Name} (id {ring.Info.Id})");
        await capture.ReplaceAsync(() => { });
        await capture.SaysAsync($"Map {Name} (id {ring.Info.Id})");
        using var next = BusyMap.Create(Name);
        BusyMap.Change(next, 100);
        await capture.WatchesAsync(Name);
        await capture.StopAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task Values_that_no_log_takes_are_refused_with_their_size_and_the_rest_is_watched()
    {
        using var large = BpfMap.Create(Name, MapType.Array, 4, (64 << 20) + 8, 1);
        using var map = BusyMap.Create("maplog_native");
        await using var capture = await CaptureProcess.StartAsync(postgres, 1 << 20, null, Name, "maplog_native");
        await capture.WatchesAsync("maplog_native");
        await capture.SaysAsync($"values of {large.Info.ValueSize} bytes, but an entry may have");
        await capture.StopAsync();
    }

    internal static Task MaplogAsync(CaptureProcess capture, params string[] command) =>
        Recorded.Command.RunAsync("/", [Path.Combine(Recorded.Repository.Bin, "maplog"), .. command, "--log", capture.Connection]);
}
