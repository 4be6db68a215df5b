using Maplog.Capture.Watching;
using Maplog.Kernel;
using Xunit;

namespace Maplog.Tests.Unit.Capture;

public sealed class UnloggableMapsTests
{
    private static readonly WatchedTarget One = WatchedTarget.Parse("ct_map"), Other = WatchedTarget.Parse("nat_map"), Prefix = WatchedTarget.Parse("fw_*");

    [Theory]
    [InlineData(MapType.Hash, 8, 16, "ct_map", null)]
    [InlineData(MapType.Array, 4, UnloggableMaps.MaxEntryBytes - 4, "ct_map", null)]
    [InlineData(MapType.Array, 4, UnloggableMaps.MaxEntryBytes - 3, "ct_map", "an entry may have")]
    [InlineData(MapType.Array, 4, int.MaxValue, "ct_map", "an entry may have")]
    [InlineData(MapType.RingBuffer, 0, 0, "ct_map", "kernel objects")]
    [InlineData(MapType.Hash, 8, 16, "", null)]
    public void A_map_that_cannot_be_logged_is_told_with_the_reason(MapType type, int keySize, int valueSize, string name, string? reason)
    {
        var sentence = UnloggableMaps.WhyNot(new MapInfo(7, name, type, keySize, valueSize, 16, 0, 0, 0, 0), One, name.Length > 0 ? name : "id-7");
        if (reason is null)
            Assert.Null(sentence);
        else
            Assert.Contains(reason, sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stream_that_would_have_no_name_is_told_with_the_way_to_name_it()
    {
        var sentence = UnloggableMaps.WhyNot(new MapInfo(7, "", MapType.Hash, 4, 4, 16, 0, 0, 0, 0), WatchedTarget.Parse("pin:/sys/fs/bpf/a,b"), "a,b");
        Assert.Contains("pin:/sys/fs/bpf/a,b=STREAM", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void There_is_nothing_else_to_watch_only_if_each_target_names_one_map_and_that_cannot_be_logged()
    {
        var both = new UnloggableMaps([One, Other]);
        Assert.True(both.Add(1, One, "no"));
        Assert.False(both.Add(1, One, "no"));
        Assert.Null(both.NothingElse());
        both.Add(2, Other, "nor this");
        Assert.Equal("no", both.NothingElse());
        both.Forget([1]);
        Assert.Null(both.NothingElse());

        var prefix = new UnloggableMaps([Prefix]);
        prefix.Add(1, Prefix, "no");
        Assert.Null(prefix.NothingElse());
    }
}
