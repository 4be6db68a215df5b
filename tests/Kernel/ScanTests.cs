using Maplog.Kernel;

namespace Maplog.Tests.Kernel;

public sealed class ScanTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 100)]
    [InlineData(100, 1)]
    [InlineData(3, 2)]
    [InlineData(5000, 5000)]
    public void A_bucket_longer_than_the_room_is_read_all_the_same(int chunk, int room)
    {
        // 4,000 entries in 4,096 buckets: many buckets have several.
        using var map = BpfMap.Create("buckets", MapType.Hash, 4, 4, 4000);
        int[] numbers = [.. Enumerable.Range(0, 4000)];
        map.UpdateBatch(Bytes.Of(numbers), Bytes.Of(numbers), numbers.Length);
        Assert.Equal(numbers, map.ReadAll(chunk, room).Keys.Order());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_scan_of_an_empty_map_ends_at_once(bool batches)
    {
        using var map = BpfMap.Create("empty", MapType.Hash, 4, 4, 10);
        map.UseBatches = batches;
        Assert.Empty(map.ReadAll());
    }

    [Theory]
    [InlineData(MapType.Hash, 4, true)]
    [InlineData(MapType.Hash, 4, false)]
    [InlineData(MapType.LpmTrie, 8, true)]
    [InlineData(MapType.LpmTrie, 8, false)]
    public void Entries_that_stay_are_found_though_others_are_deleted_under_the_scan(MapType type, int keySize, bool batches)
    {
        using var map = BpfMap.Create("vanish", type, keySize, 4, 4000);
        map.UseBatches = batches;
        for (int n = 0; n < 2000; n++)
            map.Update(Key(n), Bytes.Of(n));

        var seen = new HashSet<int>();
        byte[] keys = new byte[50 * keySize], values = new byte[50 * 4];
        MapScan scan = map.Scan(50);
        int deleted = 0;
        for (int filled; (filled = scan.Next(keys, values)) > 0;)
        {
            for (int i = 0; i < filled; i++)
                seen.Add(Bytes.Number(values.AsSpan(i * 4)));
            // Take away the very key the scan stands on, a few times, if it is an odd one.
            int last = Bytes.Number(values.AsSpan((filled - 1) * 4));
            if (last % 2 == 1 && deleted < 20 && map.Delete(Key(last)))
                deleted++;
        }

        Assert.True(deleted > 0);
        Assert.Superset(Enumerable.Range(0, 1000).Select(n => n * 2).ToHashSet(), seen);

        byte[] Key(int n) => type == MapType.LpmTrie ? Bytes.Prefix(32, (byte)(n >> 8), (byte)n, 0, 0) : Bytes.Of(n);
    }

    [Theory]
    [InlineData(MapType.Hash, 4, false)]
    [InlineData(MapType.LpmTrie, 8, true)]
    [InlineData(MapType.LpmTrie, 8, false)]
    public void A_scan_whose_key_is_taken_away_every_time_ends(MapType type, int keySize, bool batches)
    {
        using var map = BpfMap.Create("forever", type, keySize, 4, 4000);
        map.UseBatches = batches;
        for (int n = 0; n < 300; n++)
            map.Update(Key(n), Bytes.Of(n));
        byte[] keys = new byte[keySize * 10], values = new byte[4 * 10];
        MapScan scan = map.Scan(10);
        Exception? thrown = Record.Exception(() =>
        {
            byte[]? taken = null;
            for (int filled; (filled = scan.Next(keys, values)) > 0;)
            {
                if (taken is not null)
                    map.Update(taken, Bytes.Of(1));
                taken = keys[((filled - 1) * keySize)..(filled * keySize)];
                map.Delete(taken);
            }
        });
        if (thrown is null && type == MapType.LpmTrie)
            return; // older kernels go on in a trie from where the key was, and so come to the end
        var error = Assert.IsType<KernelException>(thrown);
        Assert.Equal(Errno.Eagain, error.Errno);
        Assert.Contains("returned to its beginning", error.Message);
        Assert.Equal(MapScan.MostRestarts + 1, scan.Restarts);

        byte[] Key(int n) => type == MapType.LpmTrie ? Bytes.Prefix(32, (byte)(n >> 8), (byte)n, 0, 0) : Bytes.Of(n);
    }

    [Fact]
    public void A_scan_beside_a_writer_sees_every_entry_that_stays()
    {
        using var map = BpfMap.Create("busy", MapType.Hash, 4, 4, 20_000);
        int[] staying = [.. Enumerable.Range(0, 5000)];
        map.UpdateBatch(Bytes.Of(staying), Bytes.Of(staying), staying.Length);
        using var stop = new CancellationTokenSource();
        var writer = new Thread(() =>
        {
            int[] others = [.. Enumerable.Range(100_000, 5000)];
            byte[] keys = Bytes.Of(others);
            while (!stop.IsCancellationRequested)
            {
                map.UpdateBatch(keys, keys, others.Length);
                map.DeleteBatch(keys, others.Length);
            }
        });
        writer.Start();
        try
        {
            for (int i = 0; i < 10; i++)
                Assert.Superset(staying.ToHashSet(), map.ReadAll(repeats: true).Keys.ToHashSet());
        }
        finally
        {
            stop.Cancel();
            writer.Join();
        }
    }
}
