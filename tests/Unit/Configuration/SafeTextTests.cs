using Maplog.Configuration;
using Xunit;

namespace Maplog.Tests.Unit.Configuration;

public sealed class SafeTextTests
{
    [Theory]
    [InlineData("ct_map", "ct_map")]
    [InlineData("größe 地図 👍", "größe 地図 👍")]
    [InlineData("a\e[31mred", "a\\u001b[31mred")]
    [InlineData("bell\a\b\r", "bell\\u0007\\u0008\\u000d")]
    [InlineData("\u009b2J", "\\u009b2J")]
    [InlineData("user\u202eexe.txt\u2066", "user\\u202eexe.txt\\u2066")]
    [InlineData("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff")]
    [InlineData("two\u2028lines", "two\\u2028lines")]
    [InlineData("tag\U000E0041", "tag\\udb40\\udc41")]
    [InlineData("a\nmaplog: all is well\t.", "a\\u000amaplog: all is well\\u0009.")]
    public void A_name_can_neither_steer_a_terminal_nor_pass_for_another(string name, string shown) => Assert.Equal(shown, SafeText.Of(name));

    [Fact]
    public void Text_of_several_lines_keeps_them() => Assert.Equal("a\n\tb\\u001b", SafeText.Lines("a\n\tb\e"));

    [Fact]
    public void Half_a_character_is_shown_as_a_replacement() => Assert.Equal("a\ufffd", SafeText.Of("a\ud83d\n")[..2]);
}
