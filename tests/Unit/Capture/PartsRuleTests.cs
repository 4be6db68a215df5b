using Maplog.Capture.Pipeline;
using Maplog.Events;
using Xunit;

namespace Maplog.Tests.Unit.Capture;

public sealed class PartsRuleTests
{
    private static readonly MapShape Hash = new(5, 4, 8, 100, 0, 128);

    [Fact]
    public void About_one_of_32_updates_of_every_key_is_whole_however_its_versions_are_spaced()
    {
        var rule = new PartsRule(Hash);
        foreach (var step in new[] { 1, 2, 32, 64, 1597 })
        {
            for (var key = 0; key < 20; key++)
            {
                var whole = Enumerable.Range(1, 3200).Count(i => !rule.Allows(BitConverter.GetBytes(key), new StreamVersion(i * (long)step), 10, 5));
                Assert.InRange(whole, 50, 170);
            }
        }
    }

    [Fact]
    public void The_first_update_of_an_entry_after_a_gap_is_whole()
    {
        var rule = new PartsRule(Hash);
        for (var version = 1; version < 100; version++)
            Assert.False(rule.Allows([1, 2, 3, 4], new StreamVersion(version), changedAt: 4, wholeBefore: 5));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(10, 128)]
    [InlineData(5, 1)]
    public void Maps_without_parts_and_maps_that_evict_have_whole_values(int type, int cpus)
    {
        var rule = new PartsRule(Hash with { Type = type, PossibleCpus = cpus });
        for (var version = 1; version < 100; version++)
            Assert.False(rule.Allows([1, 2, 3, 4], new StreamVersion(version), 10, 5));
    }
}
