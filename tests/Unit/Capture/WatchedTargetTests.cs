using Maplog.Capture.Watching;
using Maplog.Kernel;
using Xunit;

namespace Maplog.Tests.Unit.Capture;

public sealed class WatchedTargetTests
{
    private static MapInfo Map(uint id, string name) => new(id, name, MapType.Hash, 4, 8, 16, 0, 0, 0, 0);

    [Fact]
    public void A_map_is_meant_by_name_prefix_id_or_pin()
    {
        Assert.True(WatchedTarget.Parse("ct_map").Matches(Map(7, "ct_map"), null));
        Assert.True(WatchedTarget.Parse("ct_*").Matches(Map(7, "ct_map"), null));
        Assert.True(WatchedTarget.Parse("id:7").Matches(Map(7, "ct_map"), null));
        Assert.False(WatchedTarget.Parse("id:8").Matches(Map(7, "ct_map"), null));
        Assert.True(WatchedTarget.Parse("pin:/sys/fs/bpf/ct").Matches(Map(7, "ct_map"), 7));
        Assert.False(WatchedTarget.Parse("pin:/sys/fs/bpf/ct").Matches(Map(7, "ct_map"), null));
    }

    [Theory]
    [InlineData("ct_map", "ct_map", "ct_map")]
    [InlineData("ct_map=connections", "ct_map", "connections")]
    [InlineData("pin:/sys/fs/bpf/conns", "ct_map", "ct_map")]
    [InlineData("pin:/sys/fs/bpf/conns", "", "conns")]
    [InlineData("id:7", "", "id-7")]
    public void A_stream_is_called_as_told_or_as_the_map(string target, string name, string stream) =>
        Assert.Equal(stream, WatchedTarget.Parse(target).StreamOf(Map(7, name)));

    [Theory]
    [InlineData("ct_*=one")]
    [InlineData("id:0")]
    [InlineData("id:seven")]
    [InlineData("pin:relative")]
    [InlineData("ct map")]
    [InlineData("ct_map=a/b")]
    public void Nonsense_is_refused_with_what_was_written(string target) =>
        Assert.Contains(target.Split('=')[0], WatchedTarget.Mistake(target), StringComparison.Ordinal);
}
