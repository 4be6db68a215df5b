using System.Text;
using Maplog.Events;
using Xunit;

namespace Maplog.Tests.Unit.Events;

public sealed class NoteCodecTests
{
    private static readonly MapOpened Opened = new(
        2, uint.MaxValue, "boot", "ct_map", new MapShape(9, 16, 100, uint.MaxValue, 1, 0), [0xfb, 0xff], 1, 2, "kprobe", ["inline updates by programs"], "node-é");

    public static TheoryData<object> Notes => new((object[])
    [
        Opened,
        Opened with { Btf = null, Unseen = [] },
        Opened with { Frozen = true },
        new MapMoved(2, 7, "boot", "fentry", [], "node"),
        new MapMoved(2, 7, "boot", "fentry", [], "node", Frozen: true),
        new MapClosed(1, 2, "boot"),
        new EpochStarted(int.MaxValue, "node", "boot", 3),
        new GapFound(1, "ring-full", -1, 0, long.MaxValue),
        new Sealed(1, 1, long.MaxValue, [1, 2, 3]),
        new Pruned(3, 4711, [1, 2], [3], new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero), "maplog"),
    ]);

    [Theory]
    [MemberData(nameof(Notes))]
    public void A_note_survives_its_JSON(object note) =>
        Assert.Equivalent(note, NoteCodec.Read(NoteCodec.KindOf(note), NoteCodec.Write(note)), strict: true);

    [Fact]
    public void Names_are_camelCase_and_bytes_are_base64()
    {
        var json = Encoding.UTF8.GetString(NoteCodec.Write(Opened));
        Assert.Contains("\"bootId\":\"boot\"", json, StringComparison.Ordinal);
        Assert.Contains("\"maxEntries\":4294967295", json, StringComparison.Ordinal);
        Assert.Equal("+/8=", System.Text.Json.JsonDocument.Parse(json).RootElement.GetProperty("btf").GetString());
        Assert.DoesNotContain("valueBytes", json, StringComparison.Ordinal);
        Assert.DoesNotContain("frozen", json, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"epoch\":\"one\"}")]
    [InlineData("{\"epoch\":1,\"mapId\":1,\"bootId\":null}")]
    public void What_is_no_such_note_is_refused(string json) =>
        Assert.Throws<FormatException>(() => NoteCodec.Read(EventKind.MapClosed, Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void A_note_of_a_later_version_may_say_more() =>
        Assert.Equal(new MapClosed(1, 2, "b"), NoteCodec.Read(EventKind.MapClosed, "{\"later\":{\"a\":1},\"epoch\":1,\"mapId\":2,\"bootId\":\"b\"}"u8));
}
