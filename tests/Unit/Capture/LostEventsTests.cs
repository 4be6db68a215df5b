using Maplog.Capture.Terms;
using Maplog.Events;
using Maplog.Log;
using Xunit;

namespace Maplog.Tests.Unit.Capture;

public sealed class LostEventsTests
{
    private static readonly IReadOnlyList<StreamSummary> Streams = [Ending("cut", 400), Ending("whole", 1_000), Ending("ahead", 1_200), Ending("empty", 0)];

    private static readonly Dictionary<string, long> Heads = new() { ["cut"] = 1_000, ["whole"] = 1_000, ["ahead"] = 1_000, ["empty"] = 3, ["missing"] = 7 };

    [Fact]
    public void A_stream_that_ends_before_what_was_committed_lacks_the_difference_and_one_that_is_missing_lacks_all() =>
        Assert.Equal(new Dictionary<string, long> { ["cut"] = 600, ["empty"] = 3, ["missing"] = 7 }, LostEvents.Find(Streams, Heads));

    [Fact]
    public void What_a_failed_commit_was_told_counts_too_and_nothing_counts_twice()
    {
        var told = new Dictionary<StreamName, long> { [new StreamName("lb-1", "cut")] = 610, [new StreamName("lb-1", "whole")] = 5 };
        Assert.Equal(
            new Dictionary<string, long> { ["cut"] = 610, ["whole"] = 5, ["empty"] = 3, ["missing"] = 7 },
            LostEvents.Find(Streams, Heads).With(told));
    }

    private static StreamSummary Ending(string map, long version) =>
        new(new StreamHead(new StreamName("lb-1", map), new StreamVersion(version), default, EventKind.Sealed, default, null), null);
}
