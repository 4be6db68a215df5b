using Maplog.Events;
using Maplog.Replicator.Following;
using Xunit;

namespace Maplog.Tests.Unit.Replicator;

public sealed class StreamSearchTests
{
    private static readonly StreamName Stream = new("lb-l", "ct_mpa");

    [Fact]
    public void An_unknown_source_is_told_with_those_that_the_log_knows()
    {
        Assert.Equal(
            "The log has no source 'lb-l'; sources: lb-1, lb-2. Correct the name, or add the source with 'maplog source add lb-l'.",
            StreamSearch.UnknownSource(Stream, ["lb-1", "lb-2"]));
        Assert.Contains("'lb-l'; sources: none.", StreamSearch.UnknownSource(Stream, []), StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_map_is_told_with_those_of_its_source_and_a_long_list_is_cut()
    {
        Assert.Equal(
            "The log has no such stream yet; maps of source lb-l: ct_map. Correct the name, or let the capture of lb-l watch a map 'ct_mpa'.",
            StreamSearch.UnknownMap(Stream, ["ct_map"]));
        Assert.Contains("m9, and 2 more.", StreamSearch.UnknownMap(Stream, [.. Enumerable.Range(0, 12).Select(i => $"m{i}")]), StringComparison.Ordinal);
    }
}
