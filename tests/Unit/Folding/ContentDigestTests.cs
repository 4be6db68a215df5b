using Maplog.Events;
using Maplog.Folding;
using Xunit;

namespace Maplog.Tests.Unit.Folding;

public sealed class ContentDigestTests
{
    private static readonly MapShape Hash = new(1, 4, 4, 100, 0, 0), Array = new(2, 4, 4, 100, 0, 0), Trie = new(11, 8, 4, 100, 1, 0);

    [Fact]
    public void The_same_entries_in_any_order_have_the_same_digest_and_any_other_content_has_not()
    {
        var digest = Of(Hash, (1, 10), (2, 20), (3, 30));
        Assert.Equal(digest, Of(Hash, (3, 30), (1, 10), (2, 20)));
        Assert.NotEqual(digest, Of(Hash, (1, 10), (2, 20)));
        Assert.NotEqual(digest, Of(Hash, (1, 20), (2, 10), (3, 30)));
        Assert.NotEqual(digest, Of(Hash, (1, 10), (2, 20), (3, 30), (3, 30)));
        Assert.NotEqual(digest, Of(Hash, (1, 10), (2, 20), (3, 30), (4, 0)));
    }

    [Fact]
    public void Zeros_of_an_array_do_not_count()
    {
        Assert.Equal(Of(Array, (1, 10)), Of(Array, (0, 0), (1, 10), (2, 0)));
        Assert.NotEqual(Of(Hash, (1, 10)), Of(Hash, (0, 0), (1, 10)));
    }

    [Fact]
    public void Bits_of_a_tries_key_beyond_its_prefix_do_not_count()
    {
        byte[] one = [8, 0, 0, 0, 10, 0, 0, 0], same = [8, 0, 0, 0, 10, 1, 2, 3], other = [16, 0, 0, 0, 10, 1, 0, 0];
        Assert.Equal(Of(Trie, one), Of(Trie, same));
        Assert.NotEqual(Of(Trie, one), Of(Trie, other));
        var fold = new MapFold(8, 4);
        fold.Put(one, [1, 2, 3, 4]);
        Assert.Equal(Of(Trie, same), (1, Convert.ToHexString(ContentDigest.Of(fold, Trie).ToBytes())));
    }

    private static (long, string) Of(MapShape shape, params (int Key, int Value)[] entries)
    {
        var digest = ContentDigest.For(shape);
        foreach (var (key, value) in entries)
            digest.Add(BitConverter.GetBytes(key), BitConverter.GetBytes(value));
        return (digest.Entries, Convert.ToHexString(digest.ToBytes()));
    }

    private static (long, string) Of(MapShape shape, byte[] key)
    {
        var digest = ContentDigest.For(shape);
        digest.Add(key, [1, 2, 3, 4]);
        return (digest.Entries, Convert.ToHexString(digest.ToBytes()));
    }
}
