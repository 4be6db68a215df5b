using Maplog.Cli;
using Maplog.Cli.Describing;
using Maplog.Events;
using Xunit;

namespace Maplog.Tests.Unit.Cli;

public sealed class FieldHintsTests
{
    private static readonly MapShape Shape = new(1, 8, 12, 16, 0, 0);

    private static readonly MapFields Known = new(
        new FieldType(FieldKind.Struct, 8)
        {
            Fields = [new(FieldKind.Number, 4) { Name = "peer" }, new(FieldKind.Number, 2) { Name = "port", At = 4, Guess = true }, new(FieldKind.Bits, 1) { Name = "flag", At = 6, Bits = 1 }],
        },
        null);

    [Fact]
    public void A_hint_says_what_a_field_is_and_then_it_is_no_guess()
    {
        var fields = FieldHints.Apply(Known, Known, Shape, ["key.port=port", "key.peer=ipv4-host"]);
        Assert.Equal([FieldKind.Ipv4Host, FieldKind.Port, FieldKind.Bits], fields.Key!.Fields!.Select(f => f.Kind));
        Assert.DoesNotContain(fields.Key.Fields!, f => f.Guess);
        Assert.Equal([0, 4, 6], fields.Key.Fields!.Select(f => f.At));
        Assert.Null(fields.Value);
    }

    [Fact]
    public void Hints_with_places_describe_a_map_without_BTF_and_hide_no_byte()
    {
        var fields = FieldHints.Apply(null, null, Shape, ["key=number", "value.peer@4=ipv4", "value.port@0=port"]);
        Assert.Equal(new FieldType(FieldKind.Number, 8), fields.Key);
        Assert.Equal(["port", "_2", "peer", "_8"], fields.Value!.Fields!.Select(f => f.Name));
        Assert.Equal([2, 2, 4, 4], fields.Value.Fields!.Select(f => f.Size));
        Assert.Equal([0, 2, 4, 8], fields.Value.Fields!.Select(f => f.At));
    }

    [Theory]
    [InlineData("key.peeer=ipv4", "key has no field 'peeer'. Did you mean peer?")]
    [InlineData("key.destination=ipv4", "key has no field 'destination': it has peer, port, flag.")]
    [InlineData("key.peer.low=number", "key.peer has no field 'low'.")]
    [InlineData("key.port=ipv4", "needs a field of 4 bytes, but this field has 2")]
    [InlineData("key=ipv6", "needs a field of 16 bytes, but this field has 8")]
    [InlineData("key.flag=number", "a bit field")]
    [InlineData("key.id@0:4=number", "the map's BTF describes the fields of its key")]
    [InlineData("value.id=number", "the fields of the value are unknown")]
    [InlineData("value.id@0=number", "lacks its size: write value.id@0:SIZE=number")]
    [InlineData("value.id@10:4=number", "is beyond the value, which has 12 bytes")]
    [InlineData("value@0:4=number", "needs a plain name")]
    [InlineData("value.id@0:3=number", "needs 1, 2, 4 or 8 bytes, not 3")]
    [InlineData("peer=ipv4", "is not a hint: write key.FIELD=KIND")]
    [InlineData("key.peer=adress", "KIND one of number")]
    [InlineData("keypeer=ipv4", "is not a hint")]
    public void A_hint_that_does_not_fit_is_refused(string hint, string sentence) =>
        Assert.Contains(sentence, Assert.Throws<UsageException>(() => FieldHints.Apply(Known, Known, Shape, [hint])).Message, StringComparison.Ordinal);

    [Fact]
    public void Fields_do_not_overlap() =>
        Assert.Contains(
            "begins within the field before it, which ends at byte 4",
            Assert.Throws<UsageException>(() => FieldHints.Apply(null, null, Shape, ["value.a@0:4=number", "value.b@2:4=number"])).Message, StringComparison.Ordinal);
}
