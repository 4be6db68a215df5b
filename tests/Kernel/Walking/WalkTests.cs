using Maplog.Kernel;
using Maplog.Walking;

namespace Maplog.Tests.Kernel.Walking;

/// <summary>The walk over a map's elements in the kernel's memory.</summary>
public sealed class WalkTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(MapType.Hash, 24, 64, 5000)]
    [InlineData(MapType.LruHash, 24, 64, 5000)]
    [InlineData(MapType.Hash, 5, 3, 700)]
    [InlineData(MapType.Hash, 32, 8, 600)]
    [InlineData(MapType.LruHash, 36, 4, 600)]
    [InlineData(MapType.Hash, 1, 1, 250)]
    [InlineData(MapType.Hash, 13, 1001, 200)]
    [InlineData(MapType.Array, 4, 12, 3000)]
    [InlineData(MapType.Array, 4, 8, 1)]
    public void A_walk_gives_what_a_batch_read_gives_then_only_what_changed(MapType type, int keySize, int valueSize, uint maxEntries)
    {
        using var map = BpfMap.Create("walk_test", type, keySize, valueSize, maxEntries);
        using var walks = new LinearWalks();
        using var walk = Make(walks, map);
        for (var i = 0; i < maxEntries; i += 2)
            map.Update(Key(keySize, i), Bytes.Of(i + 1, valueSize));
        Assert.Equal(Read(map), Walk(walk, map));
        Assert.Empty(Walk(walk, map));
        var changed = new Dictionary<string, string>();
        for (var i = 0; i < maxEntries; i += 10)
        {
            if (!map.Lookup(Key(keySize, i), new byte[valueSize]))
                continue; // an LRU map has evicted it
            var value = Bytes.Of(i + 9, valueSize);
            map.Update(Key(keySize, i), value);
            changed[Convert.ToHexString(Key(keySize, i))] = Convert.ToHexString(value);
        }
        Assert.Equal(changed, Walk(walk, map));
        Assert.Equal(Read(map), Walk(walk, map, all: true));
    }

    [Theory]
    [InlineData(MapType.Hash)]
    [InlineData(MapType.LruHash)]
    public void A_write_through_a_pointer_is_found_by_the_next_walk_and_by_no_other(MapType type)
    {
        using var table = new PokedTable("walk_test", type, 4000);
        using var walks = new LinearWalks();
        using var walk = Make(walks, table.Map);
        table.Make(0, 1000, state: 1);
        Walk(walk, table.Map);
        table.Poke(0, 100, state: 2, step: 7);
        Assert.Equal(100, Walk(walk, table.Map).Count);
        Assert.Empty(Walk(walk, table.Map));
        table.Drop(0, 10);
        Assert.Empty(Walk(walk, table.Map));
        Assert.Equal(990, walk.Live);
        table.Make(0, 10, state: 1);
        Assert.Equal(10, Walk(walk, table.Map).Count);
    }

    [Fact]
    public async Task Under_a_storm_of_every_kind_the_next_quiet_walk_completes_the_picture()
    {
        using var table = new PokedTable("walk_test", MapType.Hash, 20_000);
        using var walks = new LinearWalks();
        using var walk = Make(walks, table.Map);
        using var over = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        var storm = Task.Run(() =>
        {
            var random = new Random(3);
            while (!over.IsCancellationRequested)
            {
                table.Make((uint)random.Next(15_000), 500, (uint)random.Next(100));
                table.Poke((uint)random.Next(15_000), 2000, (uint)random.Next(100));
                table.Drop((uint)random.Next(15_000), 300);
            }
        }, CancellationToken.None);
        var known = new Dictionary<string, string>();
        var walked = 0;
        for (; !storm.IsCompleted; walked++)
        {
            foreach (var (key, value) in Walk(walk, table.Map))
                known[key] = value;
        }
        await storm;
        foreach (var (key, value) in Walk(walk, table.Map))
            known[key] = value;
        var now = Read(table.Map);
        output.WriteLine($"{walked} walks under the storm");
        Assert.Equal(now.Count, walk.Live);
        // Deleted keys are not the walk's to tell.
        Assert.Equal(now, known.Where(k => now.ContainsKey(k.Key)).ToDictionary());
    }

    [Theory]
    [InlineData(MapType.Hash, 1u)]
    [InlineData(MapType.PerCpuHash, 0u)]
    [InlineData(MapType.LpmTrie, 1u)]
    public void A_map_whose_elements_do_not_lie_side_by_side_is_refused_with_a_sentence(MapType type, uint flags)
    {
        using var map = BpfMap.Create("walk_test", type, 8, 8, 100, flags);
        using var walks = new LinearWalks();
        Assert.Null(walks.TryMake(map, null, out var whyNot));
        Assert.Contains("do not lie in memory one after the other", whyNot);
    }

    internal static LinearWalk Make(LinearWalks walks, BpfMap map)
    {
        var walk = walks.TryMake(map, null, out var whyNot);
        Assert.Null(whyNot);
        return walk!;
    }

    internal static Dictionary<string, string> Walk(LinearWalk walk, BpfMap map, bool all = false)
    {
        var found = new Dictionary<string, string>();
        byte[] keys = new byte[walk.Room * map.Info.KeySize], values = new byte[walk.Room * map.Info.ValueSize];
        var places = new int[walk.Room];
        for (walk.Begin(all); !walk.IsAtEnd;)
        {
            walk.Continue(map, 4096);
            Collect(map, keys, values, walk.Take(keys, values, places), found);
        }
        return found;
    }

    internal static Dictionary<string, string> Read(BpfMap map)
    {
        var found = new Dictionary<string, string>();
        byte[] keys = new byte[1000 * map.Info.KeySize], values = new byte[1000 * map.Info.ValueSize];
        var scan = map.Scan(1000);
        for (int count; (count = scan.Next(keys, values)) > 0;)
            Collect(map, keys, values, count, found);
        return found;
    }

    private static void Collect(BpfMap map, byte[] keys, byte[] values, int count, Dictionary<string, string> into)
    {
        var (keySize, valueSize) = (map.Info.KeySize, map.Info.ValueSize);
        for (var i = 0; i < count; i++)
            into[Convert.ToHexString(keys, i * keySize, keySize)] = Convert.ToHexString(values, i * valueSize, valueSize);
    }

    private static byte[] Key(int size, int number) => Bytes.Of(number, size);
}
