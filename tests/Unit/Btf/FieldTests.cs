using Maplog.Btf;
using Maplog.Events;
using Xunit;

namespace Maplog.Tests.Unit.Btf;

public sealed class FieldTests
{
    private readonly BtfBuilder _btf = new();

    [Fact]
    public void Addresses_and_ports_are_told_by_type_and_what_the_name_alone_says_is_a_guess()
    {
        var u8 = _btf.Integer("unsigned char", 1);
        var u16 = _btf.Integer("unsigned short", 2);
        var u32 = _btf.Integer("unsigned int", 4);
        var be16 = _btf.Alias(BtfKind.Typedef, u16, "__be16");
        var be32 = _btf.Alias(BtfKind.Typedef, u32, "__be32");
        var mac = _btf.Array(u8, 6);
        var ip6 = _btf.Array(u32, 4);
        var key = _btf.Struct(
            "key", 48, ("saddr", u32, 0), ("dport", be16, 32), ("vlan", be16, 48), ("src_mac", mac, 64), ("zone", u16, 112), ("dst_ip6", ip6, 128), ("support", u32, 256),
            ("daddr", be32, 288), ("port", u16, 320), ("pad", u16, 336));
        var fields = Fields(key, 48).Key!.Fields!;
        Assert.Equal(
            [FieldKind.Ipv4, FieldKind.Port, FieldKind.BigEndian, FieldKind.Mac, FieldKind.Number, FieldKind.Ipv6, FieldKind.Number, FieldKind.Ipv4, FieldKind.Number, FieldKind.Number],
            fields.Select(f => f.Kind));
        Assert.Equal([0, 4, 6, 8, 14, 16, 32, 36, 40, 42], fields.Select(f => f.At));
        Assert.Equal(["saddr", "src_mac", "dst_ip6", "port"], fields.Where(f => f.Guess).Select(f => f.Name));
    }

    [Fact]
    public void A_port_in_the_machines_byte_order_is_the_number_that_the_program_wrote()
    {
        var key = _btf.Struct("key", 4, ("port", _btf.Integer("unsigned short", 2), 0), ("zone", _btf.Integer("unsigned short", 2), 16));
        var fields = Fields(key, 4).Key!;
        Assert.Equal("""{"port":443,"zone":0}""", FieldJson.Text(fields, [0xbb, 1, 0, 0]));
        Assert.True(FieldPattern.Parse("port=443", 4, fields).Matches([0xbb, 1, 7, 0]));
    }

    [Fact]
    public void Types_of_an_object_are_found_by_name_and_by_its_map()
    {
        var u32 = _btf.Integer("unsigned int", 4);
        var flow = _btf.Struct("flow", 4, ("saddr", u32, 0));
        var definition = _btf.Struct("", 16, ("key", _btf.Pointer(flow), 0), ("value", _btf.Pointer(u32), 64));
        var variable = _btf.Variable("ct_map", definition);
        _btf.Section(".maps", 16, variable);
        var types = BtfTypes.Parse(_btf.Build());
        Assert.Equal([flow], types.Find("struct flow"));
        Assert.Equal([flow], types.Find("flow"));
        Assert.Equal([u32], types.Find("unsigned int"));
        Assert.Empty(types.Find("flaw"));
        Assert.Equal((flow, u32), types.FindMap("ct_map"));
        Assert.Null(types.FindMap("other"));
    }

    [Fact]
    public void A_key_is_written_as_fields_as_hex_or_as_a_number()
    {
        var type = new FieldType(FieldKind.Struct, 8) { Fields = [new(FieldKind.Ipv4, 4) { Name = "saddr" }, new(FieldKind.Port, 2) { Name = "dport", At = 4 }, new(FieldKind.Number, 2) { Name = "zone", At = 6 }] };
        var some = FieldPattern.Parse("saddr=10.0.0.1,dport=443", 8, type);
        Assert.False(some.IsWhole);
        Assert.True(some.Matches([10, 0, 0, 1, 1, 0xbb, 9, 9]));
        Assert.False(some.Matches([10, 0, 0, 1, 1, 0xbc, 9, 9]));
        var whole = FieldPattern.Parse("saddr=10.0.0.1,dport=443,zone=0x102", 8, type);
        Assert.True(whole.IsWhole);
        Assert.Equal([10, 0, 0, 1, 1, 0xbb, 2, 1], whole.Bytes);
        Assert.Equal(whole.Bytes, FieldPattern.Parse("0a00000101bb0201", 8, type).Bytes);
        Assert.Equal(whole.Bytes, FieldPattern.Parse("0x0a 0x00 0x00 0x01 0x01 0xbb 0x02 0x01", 8, null).Bytes);
        Assert.Equal([7, 0, 0, 0], FieldPattern.Parse("7", 4, null).Bytes);
    }

    [Theory]
    [InlineData("saddr=10.0.0", "an IPv4 address, as 10.0.0.1")]
    [InlineData("sadr=10.0.0.1", "has no field 'sadr': it has saddr, dport")]
    [InlineData("dport=70000", "a number of 2 bytes")]
    [InlineData("0a0000", "write 12 digits in hex, or fields as in saddr=10.0.0.1,dport=443")]
    public void A_wrong_key_is_told_how_to_be_written(string text, string advice)
    {
        var type = new FieldType(FieldKind.Struct, 6) { Fields = [new(FieldKind.Ipv4, 4) { Name = "saddr" }, new(FieldKind.Port, 2) { Name = "dport", At = 4 }] };
        Assert.Contains(advice, Assert.Throws<FormatException>(() => FieldPattern.Parse(text, 6, type)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0000000010", 8, true)]
    [InlineData("00", 4, true)]
    [InlineData("0x1bb", 4, true)]
    [InlineData("100000000000000", 8, false)]
    [InlineData("1000000", 4, false)]
    public void Digits_of_a_wrong_length_are_not_taken_for_a_number(string text, int size, bool alsoOfANumber)
    {
        foreach (var type in alsoOfANumber ? [null, new FieldType(FieldKind.Number, size)] : new FieldType?[] { null })
            Assert.Contains(
                $"write {size * 2} digits in hex, or a number in decimal as key=7.",
                Assert.Throws<FormatException>(() => FieldPattern.Parse(text, size, type)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Digits_of_a_wrong_length_are_no_number_where_the_key_has_fields()
    {
        var type = new FieldType(FieldKind.Struct, 8) { Fields = [new(FieldKind.Ipv4, 4) { Name = "saddr" }, new(FieldKind.Number, 4) { Name = "id", At = 4 }] };
        Assert.Contains(
            "write 16 digits in hex, or fields as in saddr=10.0.0.1,id=1",
            Assert.Throws<FormatException>(() => FieldPattern.Parse("1000000001", 8, type)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_number_in_decimal_can_be_told_from_hex()
    {
        Assert.Equal([0x80, 0x96, 0x98, 0], FieldPattern.Parse("key=10000000", 4, null).Bytes);
        Assert.Equal([0x10, 0, 0, 0], FieldPattern.Parse("10000000", 4, null).Bytes);
        Assert.Equal([0x80, 0x96, 0x98, 0], FieldPattern.Parse("key=10000000", 4, new FieldType(FieldKind.Number, 4)).Bytes);
        Assert.Equal("0123"u8.ToArray(), FieldPattern.Parse("0123", 4, new FieldType(FieldKind.Text, 4)).Bytes);
        Assert.Contains("a number of 4 bytes", Assert.Throws<FormatException>(() => FieldPattern.Parse("key=4294967296", 4, null)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_description_survives_the_log()
    {
        var key = _btf.Struct("key", 8, ("saddr", _btf.Integer("unsigned int", 4), 0), ("state", _btf.Enum("state", 4, ("CLOSED", 0), ("BAD", -1)), 32));
        var opened = Opened(key, 8) with { Fields = Fields(key, 8) };
        var read = (MapOpened)NoteCodec.Read(EventKind.MapOpened, NoteCodec.Write(opened));
        Assert.Equivalent(opened.Fields, read.Fields, strict: true);
        Assert.Equal("""{"saddr":"1.2.3.4","state":"BAD"}""", FieldJson.Text(read.Fields!.Key!, [1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff]));
    }

    private MapFields Fields(uint type, int size) => FieldTypes.Of(Opened(type, size))!;

    private MapOpened Opened(uint type, int size) => new(1, 1, "boot", "m", new MapShape(1, size, size, 1, 0, 0), _btf.Build(), type, type, "fentry", [], "node");
}
