using Maplog.Btf;
using Maplog.Capture.Pipeline;
using Maplog.Events;
using Maplog.Folding;
using Xunit;

namespace Maplog.Tests.Unit.Capture;

public sealed class KnownContentTests
{
    private static readonly MapShape
        Short = new(1, 4, 8, 100, 0, 0), Long = new(1, 4, 64, 100, 0, 0), Array = new(2, 4, 64, 100, 0, 0), PerCpu = new(5, 4, 32, 100, 0, 2), Trie = new(11, 8, 64, 100, 1, 0);

    public static TheoryData<MapShape> Shapes => [Short, Long, Array, PerCpu, Trie];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_value_that_was_put_is_told_from_every_other_and_the_seal_is_the_same_as_of_all_values(MapShape shape)
    {
        var fold = new MapFold(shape.KeySize, shape.ValueBytes);
        var known = new KnownContent(shape);
        for (byte n = 0; n < 50; n++)
        {
            byte[] key = Bytes(shape.KeySize, n), value = Bytes(shape.ValueBytes, (byte)(n % 10)); // some of them zeros
            fold.Put(key, value);
            known.Put(known.Entries.FindOrAdd(key, out _), value);
        }
        for (byte n = 0; n < 50; n += 3)
        {
            byte[] key = Bytes(shape.KeySize, n), value = Bytes(shape.ValueBytes, (byte)(n % 4)); // changed, and every other removed again
            Assert.True(known.Entries.TryFind(key, out var entry));
            known.Put(entry, value);
            fold.Put(key, value);
            if (n % 2 == 0)
                continue;
            known.Remove(entry);
            fold.Remove(key);
        }
        foreach (var entry in fold)
        {
            Assert.True(known.Entries.TryFind(entry.Key, out var same));
            Assert.True(known.Holds(same, entry.Value));
            var other = entry.Value.ToArray();
            other[^1]++;
            Assert.False(known.Holds(same, other));
        }
        Assert.Equal(Seal(ContentDigest.Of(fold, shape)), Seal(known.Digest()));
        Assert.Equal(Seal(known.Digest()), Seal(KnownContent.Of(fold, shape).Digest()));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_difference_in_volatile_bytes_alone_is_none_and_the_seal_is_of_whole_values(MapShape shape)
    {
        var known = new KnownContent(shape, new VolatileBytes([(2, 3)], shape));
        byte[] key = Bytes(shape.KeySize, 1), value = Bytes(shape.ValueBytes, 7), moved = [.. value], changed = [.. value];
        known.Put(known.Entries.FindOrAdd(key, out _), value);
        (moved[3], changed[5]) = (9, 9);
        Assert.True(known.Entries.TryFind(key, out var entry));
        Assert.True(known.Holds(entry, moved));
        Assert.False(known.HoldsWhole(entry, moved));
        Assert.False(known.Holds(entry, changed));
        known.Put(entry, moved);
        var fold = new MapFold(shape.KeySize, shape.ValueBytes);
        fold.Put(key, moved);
        Assert.Equal(Seal(ContentDigest.Of(fold, shape)), Seal(known.Digest()));
        Assert.True(KnownContent.Of(fold, shape, new VolatileBytes([(2, 3)], shape)).Entries.TryFind(key, out var taken));
        Assert.True(known.Holds(taken, value));
        known.Remove(entry);
        Assert.Equal(0, known.Digest().Entries);
    }

    [Fact]
    public void Long_values_take_no_more_room_than_short_ones() =>
        Assert.Equal(ContentDigest.Size, new KnownContent(new MapShape(1, 4, 65_536, 100, 0, 0)).Entries.ValueSize);

    [Fact]
    public void What_is_taken_over_keeps_when_and_where_it_changed_last()
    {
        var fold = new MapFold(4, 64);
        var entry = fold.FindOrAdd(Bytes(4, 1), out _);
        (entry.Stamp, entry.Tag) = (77, 3);
        Assert.True(KnownContent.Of(fold, Long).Entries.TryFind(Bytes(4, 1), out var known));
        Assert.Equal((77L, (ushort)3), (known.Stamp, known.Tag));
    }

    // A trie's key begins with its prefix, here of all bits.
    private static byte[] Bytes(int size, byte fill) => size == 8 ? [32, 0, 0, 0, fill, 0, 0, 0] : [.. Enumerable.Repeat(fill, size)];

    private static (long, string) Seal(ContentDigest digest) => (digest.Entries, Convert.ToHexString(digest.ToBytes()));
}
