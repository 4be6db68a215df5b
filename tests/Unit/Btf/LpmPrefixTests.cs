using Maplog.Btf;
using Maplog.Events;
using Xunit;

namespace Maplog.Tests.Unit.Btf;

public sealed class LpmPrefixTests
{
    [Theory]
    [InlineData("10.0.0.0/8", "080000000a000000")]
    [InlineData("10.1.2.3/8", "080000000a000000")]
    [InlineData("0.0.0.0/0", "0000000000000000")]
    [InlineData("192.0.2.1/32", "20000000c0000201")]
    [InlineData("192.0.2.255/30", "1e000000c00002fc")]
    public void A_network_is_the_key_that_the_kernel_takes_for_it(string text, string key) =>
        Assert.Equal(key, Convert.ToHexStringLower(LpmPrefix.Parse(text, 8)!));

    [Fact]
    public void A_network_is_written_as_it_is_read()
    {
        foreach (var (text, size) in new[] { ("10.0.0.0/8", 8), ("10.128.0.0/9", 8), ("2001:db8::/32", 20), ("::/0", 20) })
            Assert.Equal(text, LpmPrefix.Text(LpmPrefix.Parse(text, size)!));
        Assert.Equal("10.0.0.0/8", LpmPrefix.Text([8, 0, 0, 0, 10, 1, 2, 3]));
    }

    [Theory]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0/8")]
    [InlineData("10.0.0.0")]
    [InlineData("2001:db8::/32")]
    [InlineData("10.0.0.0/8/9")]
    [InlineData("10.0.0.0/-1")]
    public void What_is_no_network_of_that_size_is_none(string text) => Assert.Null(LpmPrefix.Parse(text, 8));

    [Fact]
    public void A_network_contains_the_addresses_whose_first_bits_are_its_own()
    {
        var address = LpmPrefix.ParseAddress("10.200.2.3", 8)!;
        foreach (var (network, contains) in new[] { ("10.0.0.0/8", true), ("10.128.0.0/9", true), ("10.0.0.0/9", false), ("0.0.0.0/0", true), ("10.200.2.3/32", true), ("10.200.2.2/32", false), ("10.200.2.2/31", true) })
            Assert.Equal(contains, LpmPrefix.Contains(LpmPrefix.Parse(network, 8)!, address));
    }

    [Fact]
    public void Only_keys_that_are_one_address_of_a_trie_are_networks()
    {
        var trie = new MapShape(11, 8, 4, 16, 1, 0);
        FieldType length = new(FieldKind.Number, 4) { Name = "prefixlen" }, address = new(FieldKind.Ipv4, 4) { Name = "addr", At = 4 };
        Assert.True(LpmPrefix.Applies(trie, null));
        Assert.True(LpmPrefix.Applies(trie, new FieldType(FieldKind.Struct, 8) { Fields = [length, address] }));
        Assert.False(LpmPrefix.Applies(trie, new FieldType(FieldKind.Struct, 8) { Fields = [length, address with { Size = 2 }, address with { Size = 2, At = 6 }] }));
        Assert.False(LpmPrefix.Applies(trie with { KeySize = 12 }, null));
        Assert.False(LpmPrefix.Applies(trie with { Type = 1 }, null));
    }
}
