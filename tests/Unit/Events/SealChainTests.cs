using System.Text;
using Maplog.Events;
using Xunit;

namespace Maplog.Tests.Unit.Events;

public sealed class SealChainTests
{
    // Postgres gives text back without the escapes that a writer may have used.
    [Fact]
    public void A_note_has_the_same_seal_with_its_text_escaped_and_not()
    {
        for (var c = ' '; c <= '\x7f'; c++)
        {
            if (c is '"' or '\\')
                continue;
            var (literal, escaped) = ($"{{\"a\":[\"x{c}{c}y\"]}}", $"{{\"a\":[\"x\\u{(int)c:x4}\\u{(int)c:X4}y\"]}}");
            Assert.True(HashOf(literal).AsSpan().SequenceEqual(HashOf(escaped)), literal);
        }
    }

    // Written in 2026: a seal of then is checked for ever.
    [Fact]
    public void The_seal_of_a_note_stays_what_it_was() =>
        Assert.Equal("741401cca90af1cf9dbe8d75e80addfeba8eb9fc0c5db317ff", Convert.ToHexStringLower(HashOf("{\"b\":\"+/8=<>&'`\",\"a\":{\"d\":1.50,\"c\":[null,\"é\\n\\\"\"]}}"))[..50]);

    private static byte[] HashOf(string json)
    {
        using var chain = new SealChain();
        chain.Take(chain.First, DateTimeOffset.UnixEpoch, EventKind.GapFound, Encoding.UTF8.GetBytes(json));
        return chain.Seal(new Epoch(1)).Hash;
    }
}
