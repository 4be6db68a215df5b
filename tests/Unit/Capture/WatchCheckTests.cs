using Maplog.Capture.Watching;
using Maplog.Kernel;
using Maplog.Replicas;
using Xunit;

namespace Maplog.Tests.Unit.Capture;

public sealed class WatchCheckTests
{
    [Fact]
    public void Each_target_shows_the_maps_that_it_would_catch_and_the_verdict_on_each()
    {
        WatchedTarget[] targets = [WatchedTarget.Parse("ct_map"), WatchedTarget.Parse("pin:/sys/fs/bpf/nat=nat"), WatchedTarget.Parse("none")];
        MapInfo[] maps = [Map(1, "ct_map"), Map(2, "ct_map"), Map(3, "ct_map"), Map(4, "ct_map", MapType.RingBuffer), Map(5, "other"), Map(6, "copy")];
        var pins = new PinView(targets, [new PinnedMap(targets[1], "/sys/fs/bpf/nat", 6)], []);
        var lines = WatchCheck.Lines("lb-1", targets, pins, maps, new Dictionary<uint, ulong> { [3] = 77, [6] = WriterRegistry.Copy }).ToList();
        Assert.Equal(["ct_map", "pin:/sys/fs/bpf/nat", "none"], lines.Skip(1).Where(l => l[0] != ' '));
        Assert.Collection(
            lines.Where(l => l[0] == ' '),
            l => Assert.EndsWith(": stream lb-1/ct_map", l, StringComparison.Ordinal),
            l => Assert.EndsWith(": waits for the end of map 1, which has the stream lb-1/ct_map", l, StringComparison.Ordinal),
            l => Assert.Contains("map 3 ct_map", l, StringComparison.Ordinal),
            l => Assert.Contains("cannot be replicated", l, StringComparison.Ordinal),
            l => Assert.EndsWith(": stream lb-1/nat", l, StringComparison.Ordinal),
            l => Assert.Contains("no map now", l, StringComparison.Ordinal));
    }

    private static MapInfo Map(uint id, string name, MapType type = MapType.Hash) => new(id, name, type, 4, 8, 16, 0, 0, 0, 0);
}
