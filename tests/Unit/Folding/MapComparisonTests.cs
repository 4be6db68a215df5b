using Maplog.Folding;
using Xunit;

namespace Maplog.Tests.Unit.Folding;

public sealed class MapComparisonTests
{
    [Fact]
    public void The_same_entries_in_any_order_are_equal()
    {
        var comparison = MapComparison.Of(Map((1, 10), (2, 20)), Map((2, 20), (1, 10)));
        Assert.True(comparison.IsEqual);
        Assert.Equal(2, comparison.Equal);
    }

    [Fact]
    public void Each_differing_key_is_named_with_both_values()
    {
        var comparison = MapComparison.Of(Map((1, 10), (2, 20), (3, 30)), Map((1, 10), (2, 21), (4, 40)));
        Assert.Equal(3, comparison.DifferenceCount);
        Assert.Equal(
            [(DifferenceKind.Different, 2, 20, 21), (DifferenceKind.Missing, 3, 30, -1), (DifferenceKind.Extra, 4, -1, 40)],
            comparison.Differences.OrderBy(d => d.Key[0]).Select(d => (d.Kind, (int)d.Key[0], d.Logged?[0] ?? -1, d.Live?[0] ?? -1)));
    }

    [Fact]
    public void Only_the_first_differences_are_kept_and_all_are_counted()
    {
        var comparison = MapComparison.Of(Map(), Map((1, 1), (2, 2), (3, 3)), keep: 2);
        Assert.Equal(2, comparison.Differences.Count);
        Assert.Equal(3, comparison.DifferenceCount);
    }

    [Fact]
    public void Differences_come_in_the_order_of_their_keys_and_the_smallest_are_kept()
    {
        var comparison = MapComparison.Of(Map((9, 1), (5, 1), (200, 1)), Map((7, 1), (1, 1), (5, 2)), keep: 4);
        Assert.Equal([1, 5, 7, 9], comparison.Differences.Select(d => d.Key[0]));
        Assert.Equal(5, comparison.DifferenceCount);
        Assert.Empty(MapComparison.Of(Map((9, 1)), Map(), keep: 0).Differences);
    }

    [Fact]
    public void An_arrays_untouched_entries_are_zeros()
    {
        Assert.True(MapComparison.Of(Map((1, 10)), Map((0, 0), (1, 10), (2, 0)), hasEveryEntry: true).IsEqual);
        Assert.False(MapComparison.Of(Map((1, 10)), Map((0, 0), (1, 10), (2, 5)), hasEveryEntry: true).IsEqual);
        Assert.False(MapComparison.Of(Map((1, 10)), Map((0, 0), (1, 10))).IsEqual);
    }

    [Fact]
    public void An_LRU_map_may_lack_entries_but_not_change_them_or_have_others()
    {
        var lacking = MapComparison.Of(Map((1, 10), (2, 20)), Map((2, 20)), mayEvict: true);
        Assert.True(lacking.IsEqual);
        Assert.Equal(1, lacking.Evicted);
        Assert.False(MapComparison.Of(Map((1, 10)), Map((1, 11)), mayEvict: true).IsEqual);
        Assert.False(MapComparison.Of(Map((1, 10)), Map((1, 10), (2, 20)), mayEvict: true).IsEqual);
    }

    private static MapFold Map(params (byte Key, byte Value)[] entries)
    {
        var fold = new MapFold(1, 1);
        foreach (var (key, value) in entries)
            fold.Put([key], [value]);
        return fold;
    }
}
