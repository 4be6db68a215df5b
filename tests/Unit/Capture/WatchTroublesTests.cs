using Maplog.Capture.Watching;
using Maplog.Events;
using Xunit;

namespace Maplog.Tests.Unit.Capture;

public sealed class WatchTroublesTests
{
    private static readonly StreamName Stream = StreamName.Parse("lb-1/ct_map");

    [Fact]
    public void Many_maps_that_wait_are_counted_and_the_first_are_named() =>
        Assert.StartsWith(
            "lb-1/ct_map: 7 more maps are watched for this stream (ids 3, 4, 5, 6, 7 and 2 more), and their changes are not logged while map 2 lives.",
            WatchTroubles.WaitingFor(Stream, 2, [3, 4, 5, 6, 7, 8, 9]), StringComparison.Ordinal);

    [Fact]
    public void One_map_that_waits_is_named() =>
        Assert.StartsWith("lb-1/ct_map: map 3 is watched for this stream too, and its changes are not logged while map 2 lives.", WatchTroubles.WaitingFor(Stream, 2, [3]), StringComparison.Ordinal);
}
