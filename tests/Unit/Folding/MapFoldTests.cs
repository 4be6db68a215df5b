using CsCheck;
using Maplog.Folding;
using Xunit;

namespace Maplog.Tests.Unit.Folding;

public class MapFoldTests
{
    private enum Op { Put, Remove, RemoveFound, Edit, Clear }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(3, 5)]
    [InlineData(8, 8)]
    [InlineData(24, 64)]
    [InlineData(33, 300_000)] // a page holds few such entries, so pages come and go
    [InlineData(33, 300_000, true)]
    public void Whatever_is_done_to_it_a_fold_holds_what_a_dictionary_would(int keySize, int valueSize, bool stays = false)
    {
        // Few distinct keys, so that most operations meet an entry; weights let it grow past a table and shrink again.
        var op = Gen.Frequency((60, Gen.Const(Op.Put)), (25, Gen.Const(Op.Remove)), (10, Gen.Const(Op.RemoveFound)), (10, Gen.Const(Op.Edit)), (1, Gen.Const(Op.Clear)));
        var size = valueSize > 1000 ? 60 : 600;
        Gen.Select(op, Gen.Int[0, 400], Gen.Byte).Array[0, size].Sample(steps =>
        {
            var fold = new MapFold(keySize, valueSize, stays);
            var model = new Dictionary<string, byte[]>();
            foreach (var (what, id, fill) in steps)
            {
                var key = Key(id, keySize);
                var name = Convert.ToHexString(key);
                var value = Enumerable.Repeat(fill, valueSize).ToArray();
                switch (what)
                {
                    case Op.Put:
                        Assert.Equal(!model.ContainsKey(name), fold.Put(key, value));
                        model[name] = value;
                        break;
                    case Op.Remove:
                        Assert.Equal(model.Remove(name), fold.Remove(key));
                        break;
                    case Op.RemoveFound when fold.TryFind(key, out var found):
                        fold.Remove(found);
                        Assert.True(model.Remove(name));
                        break;
                    case Op.Edit:
                        var entry = fold.FindOrAdd(key, out var added);
                        Assert.Equal(model.TryAdd(name, new byte[valueSize]), added);
                        Assert.Equal(model[name], entry.Value.ToArray());
                        value.CopyTo(entry.Value);
                        model[name] = value;
                        break;
                    case Op.Clear:
                        fold.Clear();
                        model.Clear();
                        break;
                    default:
                        break;
                }
            }
            AssertSame(model, fold);
        }, iter: valueSize > 1000 ? 20 : 100);
    }

    [Fact]
    public void Tables_split_and_pages_come_and_go_and_every_key_stays_findable()
    {
        const int Count = 200_000;
        var fold = new MapFold(8, 8);
        for (var i = 0; i < Count; i++)
            Assert.True(fold.Put(Key(i, 8), Key(i * 3, 8)));
        Assert.Equal(Count, fold.Count);
        for (var i = 0; i < Count; i += 2)
            Assert.True(fold.Remove(Key(i, 8)));
        Assert.Equal(Count / 2, fold.Count);
        for (var i = 0; i < Count; i++)
        {
            Assert.Equal(i % 2 == 1, fold.TryGet(Key(i, 8), out var value));
            if (i % 2 == 1)
                Assert.Equal(Key(i * 3, 8), value.ToArray());
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_entry_costs_little_more_than_its_bytes(bool stays)
    {
        const int Count = 500_000;
        var fold = new MapFold(24, 64, stays);
        Span<byte> key = stackalloc byte[24];
        for (var i = 0; i < Count; i++)
        {
            BitConverter.TryWriteBytes(key, i);
            fold.FindOrAdd(key, out _);
        }
        Assert.InRange(fold.Bytes, 88L * Count, 125L * Count);
        for (var i = 0; i < Count; i++)
        {
            BitConverter.TryWriteBytes(key, i);
            Assert.True(fold.TryFind(key, out _));
        }
    }

    [Fact]
    public void A_change_of_an_entry_allocates_nothing()
    {
        var fold = new MapFold(24, 64);
        for (var i = 0; i < 10_000; i++)
            fold.Put(Key(i, 24), new byte[64]);
        byte[] known = Key(77, 24), fresh = Key(10_001, 24), value = new byte[64];
        Churn(1000);
        // A collection that another test causes can cost this thread's count some bytes: what allocates does it every time.
        Assert.Contains(0, Enumerable.Range(0, 5).Select(_ => AllocatedBy(10_000)));

        long AllocatedBy(int times)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Churn(times);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        void Churn(int times)
        {
            for (var i = 0; i < times; i++)
            {
                fold.Put(known, value);
                fold.Put(fresh, value);
                fold.TryGet(fresh, out _);
                fold.Remove(fresh);
            }
        }
    }

    [Fact]
    public void A_megabyte_of_value_under_64_kibibytes_of_key_is_an_entry_like_any_other()
    {
        var fold = new MapFold(65_536, 1 << 20);
        var value = new byte[1 << 20];
        for (var i = 0; i < 5; i++)
        {
            value.AsSpan().Fill((byte)i);
            fold.Put(Key(i, 65_536), value);
        }
        fold.Remove(Key(1, 65_536));
        Assert.Equal(4, fold.Count);
        Assert.True(fold.TryGet(Key(4, 65_536), out var read));
        Assert.Equal(-1, read.IndexOfAnyExcept((byte)4));
    }

    [Fact]
    public void Stamp_and_tag_stay_with_their_entry()
    {
        var fold = new MapFold(4, 4);
        for (var i = 0; i < 1000; i++)
        {
            var entry = fold.FindOrAdd(Key(i, 4), out _);
            Assert.Equal((0L, (ushort)0), (entry.Stamp, entry.Tag));
            entry.Stamp = i * 1_000_000_007L;
            entry.Tag = (ushort)i;
        }
        for (var i = 0; i < 1000; i += 3)
            fold.Remove(Key(i, 4));
        for (var i = 1; i < 1000; i += 3)
        {
            Assert.True(fold.TryFind(Key(i, 4), out var entry));
            Assert.Equal((i * 1_000_000_007L, (ushort)i), (entry.Stamp, entry.Tag));
        }
    }

    [Fact]
    public void The_entry_at_hand_may_be_removed_while_going_over_all()
    {
        var fold = new MapFold(4, 4);
        for (var i = 0; i < 1000; i++)
            fold.Put(Key(i, 4), Key(i, 4));
        var seen = 0;
        foreach (var entry in fold)
        {
            seen++;
            if (BitConverter.ToInt32(entry.Value) % 2 == 0)
                fold.Remove(entry);
        }
        Assert.Equal((1000, 500), (seen, fold.Count));
    }

    [Fact]
    public void Equal_content_has_an_equal_digest_in_whatever_order_it_came()
    {
        var one = new MapFold(8, 8);
        var other = new MapFold(8, 8);
        for (var i = 0; i < 1000; i++)
        {
            one.Put(Key(i, 8), Key(i + 1, 8));
            other.Put(Key(999 - i, 8), Key(1000 - i, 8));
        }
        Assert.Equal(one.Digest(16), other.Digest(16));
        other.Put(Key(5, 8), Key(5, 8));
        Assert.Single(one.Digest(16).Zip(other.Digest(16)), pair => pair.First != pair.Second);
    }

    [Fact]
    public void A_key_or_value_of_another_size_is_refused()
    {
        var fold = new MapFold(4, 4);
        Assert.Throws<ArgumentException>(() => fold.Put(new byte[3], new byte[4]));
        Assert.Throws<ArgumentException>(() => fold.Put(new byte[4], new byte[5]));
        Assert.Equal(0, fold.Count);
    }

    private static byte[] Key(int id, int size)
    {
        var key = new byte[size];
        if (size >= 4)
            BitConverter.TryWriteBytes(key.AsSpan(size - 4), id);
        else
            for (var i = 0; i < size; i++)
                key[i] = (byte)(id >> (8 * i));
        return key;
    }

    private static void AssertSame(Dictionary<string, byte[]> model, MapFold fold)
    {
        Assert.Equal(model.Count, fold.Count);
        var seen = new HashSet<string>();
        foreach (var entry in fold)
        {
            var name = Convert.ToHexString(entry.Key);
            Assert.True(seen.Add(name));
            Assert.True(entry.Value.SequenceEqual(model[name]));
        }
        foreach (var (name, value) in model)
        {
            Assert.True(fold.TryGet(Convert.FromHexString(name), out var held));
            Assert.True(held.SequenceEqual(value));
        }
    }
}
