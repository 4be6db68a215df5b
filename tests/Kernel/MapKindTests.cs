using Maplog.Kernel;

namespace Maplog.Tests.Kernel;

/// <summary>Every kind that can be replicated, written, read, scanned and deleted from, with batches and without.</summary>
public sealed class MapKindTests
{
    [Theory]
    [InlineData(MapType.Hash, 4, true)]
    [InlineData(MapType.Hash, 4, false)]
    [InlineData(MapType.LruHash, 4, true)]
    [InlineData(MapType.LruHash, 4, false)]
    [InlineData(MapType.PerCpuHash, 4, true)]
    [InlineData(MapType.PerCpuHash, 4, false)]
    [InlineData(MapType.LruPerCpuHash, 4, true)]
    [InlineData(MapType.LruPerCpuHash, 4, false)]
    [InlineData(MapType.LpmTrie, 8, true)]
    [InlineData(MapType.LpmTrie, 8, false)]
    public void Entries_written_in_a_batch_are_scanned_and_deleted(MapType type, int keySize, bool batches)
    {
        using var map = BpfMap.Create("kinds", type, keySize, 12, 10_000);
        map.UseBatches = batches;
        const int count = 1000;
        byte[] keys = Keys(type, Enumerable.Range(0, count));
        byte[] values = Bytes.Of(Enumerable.Range(0, count), map.Info.ValueBytes);
        if (type.IsPerCpu())
            ClearPadding(values);
        Assert.Equal(count, map.UpdateBatch(keys, values, count));

        Dictionary<string, byte[]> found = Scan(map);
        Assert.Equal(count, found.Count);
        for (int i = 0; i < count; i++)
            Assert.Equal(values.AsSpan(i * map.Info.ValueBytes, map.Info.ValueBytes).ToArray(), found[Convert.ToHexString(keys.AsSpan(i * keySize, keySize))]);

        // Absent keys in the middle, at both ends and in a row: the rest is deleted all the same.
        byte[] some = Keys(type, [5000, 0, 1, 2, 6000, 6001, 3, 999, 7000]);
        Assert.Equal(5, map.DeleteBatch(some, 9));
        Assert.Equal(count - 5, Scan(map).Count);
        Assert.Equal(0, map.DeleteBatch(some, 9));
        Assert.Equal(count - 5, map.DeleteBatch(keys, count));
        Assert.Empty(Scan(map));
    }

    [Theory]
    [InlineData(MapType.Array, true)]
    [InlineData(MapType.Array, false)]
    [InlineData(MapType.PerCpuArray, true)]
    [InlineData(MapType.PerCpuArray, false)]
    public void An_array_gives_every_index(MapType type, bool batches)
    {
        using var map = BpfMap.Create("array", type, 4, 8, 777);
        map.UseBatches = batches;
        byte[] values = Bytes.Of([1, 2], map.Info.ValueBytes);
        map.UpdateBatch(Bytes.Of([5, 776]), values, 2);
        Dictionary<int, byte[]> all = map.ReadAll();
        Assert.Equal(Enumerable.Range(0, 777), all.Keys.Order());
        Assert.Equal(values[..map.Info.ValueBytes], all[5]);
        Assert.Equal(values[map.Info.ValueBytes..], all[776]);
        Assert.All(all.Where(e => e.Key is not (5 or 776)), e => Assert.Equal(new byte[map.Info.ValueBytes], e.Value));

        var beyond = Assert.Throws<KernelException>(() => map.Update(Bytes.Of(777), values.AsSpan(0, map.Info.ValueBytes)));
        Assert.Contains("max_entries of 777", beyond.Message);
        var delete = Assert.Throws<KernelException>(() => map.DeleteBatch(Bytes.Of(5), 1));
        Assert.Contains("array's entries cannot be added or deleted", delete.Message);
    }

    [Fact]
    public void A_per_CPU_value_is_whole()
    {
        using var map = BpfMap.Create("percpu", MapType.PerCpuHash, 4, 5, 10);
        Assert.Equal(8 * PossibleCpus.Count, map.Info.ValueBytes);
        var value = new byte[map.Info.ValueBytes];
        for (int cpu = 0; cpu < PossibleCpus.Count; cpu++)
            Bytes.Of(cpu + 1, 5).CopyTo(value, cpu * 8);
        map.Update(Bytes.Of(1), value);
        var read = new byte[map.Info.ValueBytes];
        Assert.True(map.Lookup(Bytes.Of(1), read));
        for (int cpu = 0; cpu < PossibleCpus.Count; cpu++)
            Assert.Equal(Bytes.Of(cpu + 1, 5), read.AsSpan(cpu * 8, 5));
        Assert.Equal(read, map.ReadAll()[1]);
    }

    [Fact]
    public void An_LRU_map_that_overflows_stays_within_its_size()
    {
        using var map = BpfMap.Create("lru", MapType.LruHash, 4, 4, 1000);
        int[] numbers = [.. Enumerable.Range(0, 5000)];
        Assert.Equal(5000, map.UpdateBatch(Bytes.Of(numbers), Bytes.Of(numbers), 5000));
        Dictionary<int, byte[]> left = map.ReadAll();
        Assert.InRange(left.Count, 1, 1000);
        Assert.All(left, e => Assert.Equal(Bytes.Of(e.Key), e.Value));
    }

    [Fact]
    public void A_prefix_of_a_trie_is_a_key_like_any_other()
    {
        using var map = BpfMap.Create("trie", MapType.LpmTrie, 8, 4, 3);
        byte[] everything = Bytes.Prefix(0), ten = Bytes.Prefix(8, 10), tenOne = Bytes.Prefix(16, 10, 1), host = Bytes.Prefix(32, 10, 1, 2, 3);
        var value = new byte[4];
        map.Update(ten, Bytes.Of(8));
        Assert.True(map.Lookup(ten, value));
        Assert.False(map.Lookup(tenOne, value)); // covered by 10/8, but not there
        Assert.False(map.Lookup(host, value));
        map.Update(tenOne, Bytes.Of(8)); // the same value as the shorter prefix
        Assert.True(map.Lookup(tenOne, value));
        Assert.True(map.Lookup(ten, value));
        Assert.False(map.Lookup(host, value));
        map.Update(host, Bytes.Of(32));
        Assert.True(map.Lookup(host, value));
        Assert.Equal(Bytes.Of(32), value);
        Assert.Contains("full", Assert.Throws<KernelException>(() => map.Update(everything, value)).Message);
        Assert.True(map.Delete(tenOne));
        Assert.False(map.Delete(tenOne));
        Assert.False(map.Lookup(tenOne, value));
        map.Update(everything, Bytes.Of(0));
        Assert.True(map.Lookup(everything, value));
        Assert.Equal(Bytes.Of(0), value);
        Assert.Contains("EINVAL", Assert.Throws<KernelException>(() => map.UpdateBatch(Bytes.Prefix(33), Bytes.Of(1), 1)).Message);
    }

    [Fact]
    public void Values_of_a_mebibyte_are_whole()
    {
        const int mebibyte = 1 << 20;
        using var map = BpfMap.Create("mebibyte", MapType.Hash, 4, mebibyte, 8, MapFlags.NoPreallocation);
        byte[] values = Bytes.Of([1, 2, 3], mebibyte);
        Assert.Equal(3, map.UpdateBatch(Bytes.Of([1, 2, 3]), values, 3));
        var read = new byte[mebibyte];
        Assert.True(map.Lookup(Bytes.Of(2), read));
        Assert.True(values.AsSpan(mebibyte, mebibyte).SequenceEqual(read));
        Dictionary<int, byte[]> all = map.ReadAll(chunk: 2, room: 2);
        Assert.Equal([1, 2, 3], all.Keys.Order());
        Assert.All(all, e => Assert.True(values.AsSpan((e.Key - 1) * mebibyte, mebibyte).SequenceEqual(e.Value)));
    }

    [Fact]
    public void Keys_of_a_thousand_bytes_are_whole_or_refused_in_a_sentence()
    {
        BpfMap made;
        try
        {
            made = BpfMap.Create("longkey", MapType.Hash, 1000, 4, 8);
        }
        catch (KernelException e)
        {
            // Older kernels keep keys as short as a BPF program's stack.
            Assert.Equal(Errno.E2big, e.Errno);
            Assert.Contains("such a large key, value or number of entries", e.Message);
            return;
        }

        using BpfMap map = made;
        byte[] keys = Bytes.Of([1, 2, 3], 1000);
        keys[1999] ^= 1;
        Assert.Equal(3, map.UpdateBatch(keys, Bytes.Of([1, 2, 3]), 3));
        Assert.True(map.Lookup(keys.AsSpan(1000, 1000), new byte[4]));
        Assert.False(map.Lookup(Bytes.Of(2, 1000), new byte[4]));
        Assert.Equal(3, Scan(map).Count);
        Assert.Equal(3, map.DeleteBatch(keys, 3));
    }

    [Fact]
    public void A_batch_that_is_refused_says_how_far_it_came()
    {
        foreach (bool batches in new[] { true, false })
        {
            using var map = BpfMap.Create("partly", MapType.Hash, 4, 4, 5);
            map.UseBatches = batches;
            int[] numbers = [.. Enumerable.Range(0, 9)];
            var error = Assert.Throws<KernelException>(() => map.UpdateBatch(Bytes.Of(numbers), Bytes.Of(numbers), 9));
            Assert.Equal(Errno.E2big, error.Errno);
            Assert.Equal(5, error.Done);
            Assert.Contains("5 of 9 entries were written", error.Message);
            Assert.Contains("full", error.Message);
            Assert.Equal(Enumerable.Range(0, 5), map.ReadAll().Keys.Order());
        }
    }

    [Fact]
    public void A_batch_of_nothing_does_nothing()
    {
        using var map = BpfMap.Create("nothing", MapType.Hash, 4, 4, 5);
        Assert.Equal(0, map.UpdateBatch([], [], 0));
        Assert.Equal(0, map.DeleteBatch([], 0));
        Assert.Empty(map.ReadAll());
    }

    [Fact]
    public void A_kind_without_a_batch_falls_back_to_single_calls()
    {
        using var inner = BpfMap.Create("inner", MapType.Hash, 4, 4, 5);
        using var map = BpfMap.Create("queue", MapType.Queue, 0, 4, 5);
        Assert.Throws<ArgumentException>(() => map.Scan());
        Assert.Equal(2, map.UpdateBatch([], Bytes.Of([1, 2]), 2));
        var value = new byte[4];
        Assert.True(map.Lookup([], value)); // a queue's lookup peeks
        Assert.Equal(Bytes.Of(1), value);
    }

    private static byte[] Keys(MapType type, IEnumerable<int> numbers) => type == MapType.LpmTrie
        ? [.. numbers.SelectMany(n => Bytes.Prefix(32, (byte)(n >> 8), (byte)n, 1, 2))]
        : Bytes.Of(numbers);

    /// <summary>The kernel keeps 12 of each CPU's 16 bytes here and gives zeros for the rest.</summary>
    private static void ClearPadding(byte[] values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (i % 16 >= 12)
                values[i] = 0;
        }
    }

    private static Dictionary<string, byte[]> Scan(BpfMap map)
    {
        var found = new Dictionary<string, byte[]>();
        int keySize = map.Info.KeySize, valueBytes = map.Info.ValueBytes;
        byte[] keys = new byte[64 * keySize], values = new byte[64 * valueBytes];
        MapScan scan = map.Scan(64);
        for (int filled; (filled = scan.Next(keys, values)) > 0;)
        {
            for (int i = 0; i < filled; i++)
                Assert.True(found.TryAdd(Convert.ToHexString(keys.AsSpan(i * keySize, keySize)), values.AsSpan(i * valueBytes, valueBytes).ToArray()));
        }

        return found;
    }
}
