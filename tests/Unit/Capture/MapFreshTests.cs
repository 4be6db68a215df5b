using Maplog.Capture;
using Xunit;

namespace Maplog.Tests.Unit.Capture;

public sealed class MapFreshTests
{
    [Theory]
    [InlineData("ct_map=50ms", null)]
    [InlineData("ct_map=1h", null)]
    [InlineData("ct_map", "'ct_map' does not name a map and a time: write ct_map=50ms.")]
    [InlineData("=50ms", "'=50ms' does not name a map and a time: write ct_map=50ms.")]
    [InlineData("ct_map=often", "'ct_map=often' does not name a map and a time: write ct_map=50ms.")]
    [InlineData("ct_map=1ms", "'ct_map=1ms' is out of range: use 10ms to 1h.")]
    public void A_setting_names_a_map_and_a_time_in_range(string setting, string? mistake) =>
        Assert.Equal(mistake, MapFresh.Mistake(setting));

    [Fact]
    public void The_last_setting_of_a_map_counts() =>
        Assert.Equal(TimeSpan.FromSeconds(2), MapFresh.Parse(["ct_map=50ms", "other=1s", "ct_map=2s"])["ct_map"]);
}
