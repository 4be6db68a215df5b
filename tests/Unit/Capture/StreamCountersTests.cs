using Maplog.Capture.Observing;
using Maplog.Events;
using Xunit;

namespace Maplog.Tests.Unit.Capture;

public sealed class StreamCountersTests
{
    private readonly StreamCounters _counters = new("lb-1/ct_map");

    [Fact]
    public void A_change_is_counted_by_its_origin_and_costs_no_memory()
    {
        _counters.Changed(Origin.Program);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            _counters.Changed(Origin.Syscall);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        _counters.Changed((Origin)200);
        Assert.Equal((1, 1000, 0), (_counters.Changes(Origin.Program), _counters.Changes(Origin.Syscall), _counters.Changes(Origin.Scan)));
    }

    [Fact]
    public void A_gap_is_counted_by_its_reason_and_its_losses_as_far_as_they_are_known()
    {
        _counters.Found(new GapFound(1, "ring-full", 70, 0, 1));
        _counters.Found(new GapFound(1, "ring-full", 5, 1, 2));
        _counters.Found(new GapFound(1, "late-attach", -1, 0, 1));
        Assert.Equal([("late-attach", 1, 0), ("ring-full", 2, 75)], _counters.Gaps.Select(g => (g.Reason, g.Gaps.Gaps, g.Gaps.Lost)).OrderBy(g => g.Reason, StringComparer.Ordinal));
    }
}
