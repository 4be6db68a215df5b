using Maplog.Cli;
using Maplog.Events;
using Xunit;

namespace Maplog.Tests.Unit.Cli;

public sealed class NearTests
{
    private static readonly StreamName[] Streams = [new("lb-1", "ct_map"), new("lb-1", "routes"), new("lb-2", "ct_map")];

    [Fact]
    public void A_slip_finds_the_name() => Assert.Equal(["lb-1/routes"], Near.Streams("lb-1/rotes", Streams).Select(s => s));

    [Fact]
    public void The_same_map_of_any_source_comes_first() => Assert.Equal(["lb-1/ct_map", "lb-2/ct_map"], Near.Streams("ct_map", Streams));

    [Fact]
    public void Something_quite_different_finds_nothing() => Assert.Empty(Near.Streams("edge/sessions_by_user", Streams));

    [Fact]
    public void The_nearest_comes_first() => Assert.Equal(["ct_maps", "ct_mops"], Near.Names("ct_mapz", ["ct_mops", "ct_maps", "routes"]));
}
