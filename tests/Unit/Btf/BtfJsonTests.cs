using System.Text;
using System.Text.Json;
using Maplog.Btf;
using Xunit;

namespace Maplog.Tests.Unit.Btf;

public sealed class BtfJsonTests
{
    private readonly BtfBuilder _btf = new();

    [Fact]
    public void Integers_are_numbers_of_their_size_and_sign()
    {
        var u16 = _btf.Integer("unsigned short", 2);
        var s32 = _btf.Integer("int", 4, encoding: 1);
        var u64 = _btf.Integer("unsigned long", 8);
        var boolean = _btf.Integer("_Bool", 1, encoding: 4);
        var u128 = _btf.Integer("unsigned __int128", 16);
        Assert.Equal("65534", Json(u16, 0xfe, 0xff));
        Assert.Equal("-2", Json(s32, 0xfe, 0xff, 0xff, 0xff));
        Assert.Equal("18446744073709551615", Json(u64, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff));
        Assert.Equal("true", Json(boolean, 1));
        Assert.Equal("\"0x100000000000000000000000000000a\"", Json(u128, 0xa, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
    }

    [Fact]
    public void A_struct_is_an_object_and_typedefs_and_qualifiers_are_looked_through()
    {
        var u8 = _btf.Integer("unsigned char", 1);
        var u32 = _btf.Alias(BtfKind.Typedef, _btf.Alias(BtfKind.Const, _btf.Integer("unsigned int", 4)), "__u32");
        var array = _btf.Array(u8, 2);
        var both = _btf.Union(4, ("whole", u32), ("parts", array));
        var type = _btf.Struct("key", 12, ("address", u32, 0), ("", both, 32), ("pair", array, 64));
        Assert.Equal("""{"address":1,"whole":770,"parts":[2,3],"pair":[4,5]}""", Json(type, 1, 0, 0, 0, 2, 3, 0, 0, 4, 5, 0, 0));
    }

    [Fact]
    public void Enums_are_names_and_numbers_without_one_stay_numbers()
    {
        var state = _btf.Enum("state", 4, ("CLOSED", 0), ("OPEN", 7), ("BAD", -1));
        Assert.Equal("\"OPEN\"", Json(state, 7, 0, 0, 0));
        Assert.Equal("\"BAD\"", Json(state, 0xff, 0xff, 0xff, 0xff));
        Assert.Equal("9", Json(state, 9, 0, 0, 0));
    }

    [Fact]
    public void Bit_fields_are_cut_out_bit_by_bit()
    {
        var u32 = _btf.Integer("unsigned int", 4);
        var s32 = _btf.Integer("int", 4, encoding: 1);
        var flags = _btf.BitFields("flags", 4, ("low", u32, 0, 3), ("middle", u32, 3, 10), ("signed", s32, 13, 2), ("rest", u32, 15, 17));
        Assert.Equal("""{"low":5,"middle":513,"signed":-1,"rest":1}""", Json(flags, 5 | 1 << 3, 0x10 | 0x60 | 0x80, 0, 0));
    }

    [Fact]
    public void Char_arrays_are_text_as_long_as_they_are_text()
    {
        var comm = _btf.Array(_btf.Integer("char", 1, encoding: 1), 4);
        Assert.Equal("\"ab\"", Json(comm, (byte)'a', (byte)'b', 0, 0));
        Assert.Equal("[97,0,98,0]", Json(comm, (byte)'a', 0, (byte)'b', 0));
    }

    [Fact]
    public void Pointers_are_addresses()
    {
        Assert.Equal("18446462598732840961", Json(_btf.Pointer(0), 1, 0, 0, 0, 0, 0, 0xff, 0xff));
    }

    [Fact]
    public void Too_few_bytes_and_damaged_btf_are_format_errors()
    {
        var u32 = _btf.Integer("unsigned int", 4);
        var itself = _btf.Alias(BtfKind.Typedef, 2, "itself");
        var bytes = _btf.Build();
        Assert.Throws<FormatException>(() => Json(u32, 1, 2));
        Assert.Throws<FormatException>(() => Json(itself, 1, 2, 3, 4));
        for (var length = 0; length < bytes.Length; length++)
            if (length != bytes.Length)
                Assert.ThrowsAny<FormatException>(() => BtfTypes.Parse(bytes.AsSpan(0, length)));
    }

    private string Json(uint type, params byte[] bytes)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
            new BtfJson(BtfTypes.Parse(_btf.Build())).Write(json, type, bytes);
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
