using Maplog.Capture.Pipeline;
using Xunit;

namespace Maplog.Tests.Unit.Capture;

public sealed class WalkPlanTests
{
    private const long Ms = 1_000_000;

    [Fact]
    public void As_long_as_all_walks_stay_within_the_share_every_map_has_the_interval_that_it_wants() =>
        Assert.Equal([100 * Ms, 50 * Ms], Plan(0.05, (2 * Ms, 100 * Ms), (1 * Ms, 50 * Ms)));

    [Fact]
    public void A_small_map_never_waits_for_a_large_one() =>
        Assert.Equal([100 * Ms, 500 * Ms], Plan(0.05, (1 * Ms, 100 * Ms), (20 * Ms, 100 * Ms)));

    [Fact]
    public void Maps_that_want_more_than_their_part_share_what_is_left_alike()
    {
        // 0.01 of 0.05 goes to the small map, 0.02 to each large one.
        Assert.Equal([100 * Ms, 1000 * Ms, 2000 * Ms], Plan(0.05, (1 * Ms, 100 * Ms), (20 * Ms, 100 * Ms), (40 * Ms, 100 * Ms)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(3000)]
    public void All_walks_together_stay_within_the_share(int maps)
    {
        var random = new Random(maps);
        var wanted = Enumerable.Range(0, maps).Select(_ => ((long)random.Next(1, 50) * Ms, (long)random.Next(10, 1000) * Ms)).ToArray();
        var intervals = Plan(0.05, wanted);
        Assert.True(wanted.Zip(intervals, (w, interval) => (double)w.Item1 / interval).Sum() <= 0.05 + 1e-6);
        Assert.All(wanted.Zip(intervals), w => Assert.True(w.Second >= w.First.Item2));
    }

    [Fact]
    public void Maps_that_cost_nothing_so_far_have_the_interval_that_they_want() => Assert.Equal([10 * Ms], Plan(0.05, (0, 10 * Ms)));

    private static long[] Plan(double share, params (long Cost, long Wanted)[] maps)
    {
        var intervals = new long[maps.Length];
        WalkPlan.Fill([.. maps.Select(m => m.Cost)], [.. maps.Select(m => m.Wanted)], share, intervals);
        return intervals;
    }
}
