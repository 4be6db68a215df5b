using Maplog.Events;
using Maplog.Kernel;
using Maplog.Servers;

namespace Maplog.Tests.Kernel.Capturing;

/// <summary>Changes that found no room in the ring.</summary>
public sealed class LossTests(TestPostgres postgres)
{
    [Fact(Timeout = 300_000)]
    public async Task Changes_that_were_lost_right_before_a_maps_end_are_a_gap_of_its_stream()
    {
        const string Name = "maplog_lost_end";
        const int Changes = 20_000;
        var map = BpfMap.Create(Name, MapType.Hash, sizeof(int), sizeof(int), 16);
        await using var capture = await CaptureProcess.StartAsync(postgres, 1 << 16, null, Name);
        await capture.WatchesAsync(Name);
        capture.Suspend();
        for (var i = 0; i < Changes; i++)
            map.Update(BitConverter.GetBytes(1), BitConverter.GetBytes(i));
        map.Dispose();
        // Longer than a look at all maps may wait: the capture finds the map gone before it counts.
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        capture.GoOn();
        var stream = new StreamName(CaptureProcess.Source, Name);
        while (await capture.Log.ReadLatestAsync<MapClosed>(stream, TestContext.Current.CancellationToken) is null)
            await Task.Delay(100, TestContext.Current.CancellationToken);
        var gap = await capture.Log.ReadLatestAsync<GapFound>(stream, TestContext.Current.CancellationToken);
        var logged = await capture.CountAsync(Name, Origin.Syscall, default);
        await capture.StopAsync();
        Assert.Equal(("ring-full", Changes - logged), (gap?.Note.Reason, (int)(gap?.Note.Count ?? 0)));
    }
}
