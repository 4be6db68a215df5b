using Maplog.Btf;
using Maplog.Capture.Watching;
using Maplog.Events;
using Maplog.Kernel;
using Xunit;

namespace Maplog.Tests.Unit.Capture;

public sealed class VolatileRuleTests
{
    private static readonly MapShape Shape = new((int)MapType.Hash, 8, 24, 100, 0, 0);

    private static readonly FieldType Value = new(FieldKind.Struct, 24)
    {
        Fields =
        [
            new FieldType(FieldKind.Number, 4) { Name = "state" },
            new FieldType(FieldKind.Bits, 1) { Name = "flag", At = 4, Bits = 1 },
            new FieldType(FieldKind.Struct, 16)
            {
                Name = "seen",
                At = 8,
                Fields = [new FieldType(FieldKind.Number, 8) { Name = "packets" }, new FieldType(FieldKind.Number, 8) { Name = "time", At = 8 }],
            },
        ],
    };

    [Theory]
    [InlineData("ct_map:value.seen.time")]
    [InlineData("ct_map:value[8:16]")]
    public void A_rule_is_printed_as_it_was_written(string rule)
    {
        Assert.Null(VolatileRule.Mistake(rule));
        Assert.Equal(rule, VolatileRule.TryParse(rule)!.ToString());
    }

    [Theory]
    [InlineData("value.packets")]
    [InlineData("ct_map:packets")]
    [InlineData("ct_map:value[8]")]
    [InlineData("ct_map:value[8:0]")]
    [InlineData("ct_map:value[8:99999999999]")]
    [InlineData("ct_map:key.port")]
    public void What_names_no_bytes_of_a_value_is_a_mistake(string rule) =>
        Assert.StartsWith($"'{rule}' does not name bytes of a value: write ", VolatileRule.Mistake(rule));

    [Theory]
    [InlineData("m:value.state", 0, 4)]
    [InlineData("m:value.seen", 8, 16)]
    [InlineData("m:value.seen.time", 16, 8)]
    [InlineData("m:value[20:4]", 20, 4)]
    public void A_rule_finds_its_bytes(string rule, int at, int size) =>
        Assert.Equal((at, size), VolatileRule.TryParse(rule)!.Find(Shape, Value));

    [Theory]
    [InlineData("m:value.other")]
    [InlineData("m:value.seen.other")]
    [InlineData("m:value.flag")]
    [InlineData("m:value[20:5]")]
    public void Bytes_that_the_value_does_not_have_or_shares_with_others_are_not_found(string rule) =>
        Assert.Null(VolatileRule.TryParse(rule)!.Find(Shape, Value));

    [Fact]
    public void Rules_of_another_map_change_nothing() => Assert.Null(Of(["other:value.state"], [], out _));

    [Fact]
    public void Volatile_fields_count_as_zeros()
    {
        Assert.Equal("ffffffffffffffff0000000000000000ffffffffffffffff", Cleared(Of(["m:value.seen.packets"], [], out var unknown)!));
        Assert.Empty(unknown);
    }

    [Fact]
    public void Where_the_fields_that_matter_are_named_all_others_count_as_zeros() =>
        Assert.Equal("ffffffff0000000000000000000000000000000000000000", Cleared(Of([], ["m:value.state"], out _)!));

    [Fact]
    public void A_rule_that_names_nothing_is_told_and_hides_nothing()
    {
        Assert.Null(Of([], ["m:value.nothing"], out var unknown));
        Assert.Equal("m:value.nothing", Assert.Single(unknown).ToString());
    }

    [Fact]
    public void Of_a_per_CPU_map_the_bytes_of_every_CPU_are_volatile()
    {
        var shape = new MapShape((int)MapType.PerCpuHash, 8, 4, 100, 0, 2);
        var rules = new VolatileRules([VolatileRule.TryParse("m:value[2:2]")!], []);
        byte[] value = [.. Enumerable.Repeat((byte)0xff, 16)];
        rules.Of("m", new MapOpened(1, 1, "", "m", shape, null, 0, 0, "syscall", [], "node"), out _)!.Clear(value);
        Assert.Equal("ffff0000ffffffffffff0000ffffffff", Convert.ToHexStringLower(value));
    }

    private static VolatileBytes? Of(string[] hidden, string[] counted, out IReadOnlyList<VolatileRule> unknown) =>
        new VolatileRules([.. hidden.Select(r => VolatileRule.TryParse(r)!)], [.. counted.Select(r => VolatileRule.TryParse(r)!)])
            .Of("m", new MapOpened(1, 1, "", "m", Shape, null, 0, 0, "syscall", [], "node", new MapFields(null, Value)), out unknown);

    private static string Cleared(VolatileBytes bytes)
    {
        byte[] value = [.. Enumerable.Repeat((byte)0xff, 24)];
        bytes.Clear(value);
        return Convert.ToHexStringLower(value);
    }
}
