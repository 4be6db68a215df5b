using Maplog.Events;
using Maplog.Replicas;
using Maplog.Servers;

namespace Maplog.Tests.Kernel.Capturing;

/// <summary>A replica on the host of its source has the source's name, and is not taken for it.</summary>
public sealed class OwnReplicaTests(TestPostgres postgres)
{
    // The daemon looks at the kernel's maps once a second.
    private static readonly TimeSpan SeveralLooks = TimeSpan.FromSeconds(3);

    [Fact(Timeout = 300_000)]
    public async Task A_replica_that_is_being_made_does_not_follow_its_source()
    {
        const string Name = "maplog_twin";
        var source = BusyMap.Create(Name);
        await using var capture = await CaptureProcess.StartAsync(postgres, 1 << 20, null, Name);
        await capture.WatchesAsync(Name);
        BusyMap.Change(source, 100);
        using var registry = WriterRegistry.Open(capture.Registry);
        using var replica = registry.MakeReplica(Stream(Name), () =>
        {
            var map = BusyMap.Create(Name);
            Thread.Sleep(SeveralLooks);
            return map;
        });
        source.Dispose();
        await EndsClosedAsync(capture, Name);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_replica_of_another_source_that_is_being_made_is_no_map_of_this_one()
    {
        const string Name = "maplog_guest";
        await using var capture = await CaptureProcess.StartAsync(postgres, 1 << 20, null, "maplog_gues*");
        using var registry = WriterRegistry.Open(capture.Registry);
        using var replica = registry.MakeReplica(new StreamName("there", Name), () =>
        {
            var map = BusyMap.Create(Name);
            // The hook tells of a map at its first change: the daemon then looks who it is.
            BusyMap.Change(map, 100);
            Thread.Sleep(SeveralLooks);
            return map;
        });
        using var other = BusyMap.Create("maplog_guess");
        BusyMap.Change(other, 100);
        await capture.WatchesAsync("maplog_guess");
        await capture.StopAsync();
        Assert.Equal("maplog_guess", Assert.Single(await capture.Log.ListStreamsAsync(CaptureProcess.Source, TestContext.Current.CancellationToken)).Stream.Map);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_map_that_waits_for_its_predecessors_end_and_becomes_a_replica_does_not_follow_it()
    {
        const string Name = "maplog_taken";
        var source = BusyMap.Create(Name);
        await using var capture = await CaptureProcess.StartAsync(postgres, 1 << 20, null, Name);
        await capture.WatchesAsync(Name);
        BusyMap.Change(source, 100);
        using var second = BusyMap.Create(Name);
        BusyMap.Change(second, 100);
        await capture.SaysAsync("the newer map takes over");
        using var registry = WriterRegistry.Open(capture.Registry);
        registry.AddReplica(second.Info.Id, Stream(Name));
        source.Dispose();
        await EndsClosedAsync(capture, Name);
    }

    private static StreamName Stream(string name) => new(CaptureProcess.Source, name);

    private static async Task EndsClosedAsync(CaptureProcess capture, string name)
    {
        while (!(await LivesAsync(capture, name)).Contains(EventKind.MapClosed))
            await Task.Delay(100, TestContext.Current.CancellationToken);
        await Task.Delay(SeveralLooks, TestContext.Current.CancellationToken);
        await capture.StopAsync();
        Assert.Equal([EventKind.MapOpened, EventKind.MapClosed], await LivesAsync(capture, name));
    }

    private static async Task<List<EventKind>> LivesAsync(CaptureProcess capture, string name)
    {
        var lives = new List<EventKind>();
        await foreach (var page in capture.Log.ReadAsync(Stream(name), cancellation: TestContext.Current.CancellationToken))
        {
            foreach (var logged in page)
            {
                if (logged.Kind is EventKind.MapOpened or EventKind.MapClosed)
                    lives.Add(logged.Kind);
            }
        }
        return lives;
    }
}
