using Maplog.Capture.Watching;
using Xunit;

namespace Maplog.Tests.Unit.Capture;

public sealed class WatchedTargetTests
{
    private static readonly PinnedMap Pinned = new(WatchedTarget.Parse("pin:/sys/fs/bpf/ct"), "/sys/fs/bpf/ct", 7);

    [Fact]
    public void A_map_is_meant_by_name_prefix_id_or_pin()
    {
        Assert.True(WatchedTarget.Parse("ct_map").Matches(7, "ct_map"));
        Assert.True(WatchedTarget.Parse("ct_*").Matches(7, "ct_map"));
        Assert.True(WatchedTarget.Parse("id:7").Matches(7, "ct_map"));
        Assert.False(WatchedTarget.Parse("id:8").Matches(7, "ct_map"));
        Assert.Equal("ct_map", new PinView([Pinned.Target], [Pinned], []).Find(7, "ct_map")?.Stream);
        Assert.Null(new PinView([Pinned.Target], [], []).Find(7, "ct_map"));
    }

    [Fact]
    public void A_pin_comes_before_a_name()
    {
        WatchedTarget[] targets = [WatchedTarget.Parse("ct_*"), WatchedTarget.Parse("pin:/sys/fs/bpf/ct=connections")];
        var view = new PinView(targets, [new PinnedMap(targets[1], "/sys/fs/bpf/ct", 7)], []);
        Assert.Equal((targets[1], "connections"), view.Find(7, "ct_map"));
        Assert.Equal((targets[0], "ct_map"), view.Find(8, "ct_map"));
    }

    [Theory]
    [InlineData("ct_map", "ct_map", "ct_map")]
    [InlineData("ct_map=connections", "ct_map", "connections")]
    [InlineData("pin:/sys/fs/bpf/conns", "ct_map", "ct_map")]
    [InlineData("pin:/sys/fs/bpf/conns", "", "conns")]
    [InlineData("id:7", "", "id-7")]
    public void A_stream_is_called_as_told_or_as_the_map(string text, string name, string stream)
    {
        var target = WatchedTarget.Parse(text);
        Assert.Equal(stream, target.StreamOf(7, name, target.Pin));
    }

    [Theory]
    [InlineData("pin:/sys/fs/bpf/p/*", "/sys/fs/bpf/p/a", "a")]
    [InlineData("pin:/sys/fs/bpf/p/*=lb-*", "/sys/fs/bpf/p/a", "lb-a")]
    [InlineData("pin:/sys/fs/bpf/t*/ct_map", "/sys/fs/bpf/t1/ct_map", "t1.ct_map")]
    public void Each_pin_of_a_glob_is_a_stream_of_its_own_and_is_found_by_it(string text, string pin, string stream)
    {
        var target = WatchedTarget.Parse(text);
        Assert.True(target.IsPrefix);
        Assert.Equal(stream, target.StreamOf(7, "ct_map", pin));
        Assert.Equal(pin, target.PinOf("ct_map", stream));
        Assert.Null(target.PinOf("ct_map", "other.stream.of.none"));
    }

    [Fact]
    public void A_map_whose_pin_is_gone_is_known_by_it_and_one_that_is_meant_otherwise_is_not()
    {
        var target = WatchedTarget.Parse("pin:/sys/fs/bpf/ct=connections");
        Assert.Equal("/sys/fs/bpf/ct", new PinView([target], [], []).LostPinOf(7, "ct_map", "connections"));
        Assert.Null(new PinView([target], [new PinnedMap(target, "/sys/fs/bpf/ct", 7)], []).LostPinOf(7, "ct_map", "connections"));
        Assert.Null(new PinView([target], [new PinnedMap(target, "/sys/fs/bpf/ct", 8)], []).LostPinOf(7, "ct_map", "connections"));
        Assert.Null(new PinView([target, WatchedTarget.Parse("ct_map=connections")], [], []).LostPinOf(7, "ct_map", "connections"));
    }

    [Theory]
    [InlineData("ct_*=one")]
    [InlineData("ct_*=one-*")]
    [InlineData("ct_map=one-*")]
    [InlineData("pin:/sys/fs/bpf/p/*=one")]
    [InlineData("pin:/sys/fs/bpf/p/*=one-*-*")]
    [InlineData("id:0")]
    [InlineData("id:seven")]
    [InlineData("pin:relative")]
    [InlineData("ct map")]
    [InlineData("ct_map=a/b")]
    public void Nonsense_is_refused_with_what_was_written(string target) =>
        Assert.Contains(target.Split('=')[0], WatchedTarget.Mistake(target), StringComparison.Ordinal);
}
