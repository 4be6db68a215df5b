using Maplog.Events;
using Maplog.Kernel;
using Maplog.Servers;
using Maplog.Tests.Integration.Cli;

namespace Maplog.Tests.Kernel.Capturing;

public sealed class FrozenTests(TestPostgres postgres)
{
    [Fact(Timeout = 300_000)]
    public async Task A_map_that_is_frozen_is_shown_so_once_and_its_replica_is_frozen_too()
    {
        using var map = BpfMap.Create("maplog_frozen", MapType.Array, 4, 8, 4, MapFlags.ReadOnlyForPrograms);
        await using var capture = await CaptureProcess.StartAsync(postgres, 1 << 20, null, $"id:{map.Info.Id}");
        await capture.WatchesAsync(map.Info.Name);
        var pin = capture.Replicate(map.Info.Name);
        map.Update(Bytes.Of(1), Bytes.Of(7, 8));
        map.Freeze();
        await capture.Replicators[0].SaysAsync("the source's map is frozen");
        using (var replica = BpfMap.OpenPinned(pin, MapAccess.Read))
        {
            var value = new byte[8];
            Assert.True(replica.IsFrozen() && replica.Lookup(Bytes.Of(1), value));
            Assert.Equal(Bytes.Of(7, 8), value);
        }
        Assert.Contains("array, frozen", (await CommandRun.OfAsync("maps", "--log", capture.Connection)).Output, StringComparison.Ordinal);

        // The next daemon knows it from the log.
        await capture.ReplaceAsync(() => { });
        await capture.StopAsync();
        Assert.Equal(1, await NotesAsync(capture, map.Info.Name));
    }

    private static async Task<int> NotesAsync(CaptureProcess capture, string map)
    {
        var notes = 0;
        await foreach (var page in capture.Log.ReadAsync(new StreamName(CaptureProcess.Source, map), cancellation: TestContext.Current.CancellationToken))
        {
            foreach (var logged in page)
                notes += logged.Kind == EventKind.MapMoved ? 1 : 0;
        }
        return notes;
    }
}
