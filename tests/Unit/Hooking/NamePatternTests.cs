using Maplog.Hooking;
using Xunit;

namespace Maplog.Tests.Unit.Hooking;

public sealed class NamePatternTests
{
    [Theory]
    [InlineData("ct_map", "ct_map", true)]
    [InlineData("ct_map", "ct_map2", false)]
    [InlineData("ct_*", "ct_map", true)]
    [InlineData("ct_*", "ct_", true)]
    [InlineData("ct_*", "nat", false)]
    public void A_name_means_itself_and_a_prefix_all_that_begin_so(string pattern, string name, bool matches)
    {
        var parsed = NamePattern.Parse(pattern);
        Assert.Equal(matches, parsed.Matches(name));
        Assert.Equal(matches, MatchesAsInTheKernel(parsed, name));
    }

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("ct-map")]
    [InlineData("a_name_of_16_chr")]
    public void What_no_map_can_be_called_is_refused(string pattern) =>
        Assert.Contains(pattern, Assert.Throws<FormatException>(() => NamePattern.Parse(pattern)).Message, StringComparison.Ordinal);

    // As the kernel's trie does it: the first bits of 16 bytes, padded with zeros, are the same.
    private static bool MatchesAsInTheKernel(NamePattern pattern, string name)
    {
        var bytes = pattern.ToBytes();
        var padded = new byte[16];
        System.Text.Encoding.ASCII.GetBytes(name, padded);
        return padded.AsSpan(0, BitConverter.ToInt32(bytes) / 8).SequenceEqual(bytes.AsSpan(sizeof(int), BitConverter.ToInt32(bytes) / 8));
    }
}
