using Maplog.Hooking;
using Maplog.Kernel;

namespace Maplog.Tests.Kernel;

/// <summary>README's formula for the size of the ring: a change takes at most 1.5 times 64 bytes and its key and value.</summary>
public sealed class RingRoomTests
{
    private const int Singles = 5, Batch = 100, Header = 64;

    private static readonly Random Random = new(5);

    /// <summary>Sizes just over a class, at one and between; keys short, as long as their values, and longer.</summary>
    public static TheoryData<MapType, int, int> Sizes => new()
    {
        { MapType.Hash, 4, 4 },
        { MapType.Hash, 4, 8 },
        { MapType.Hash, 1, 9 },
        { MapType.Hash, 24, 64 },
        { MapType.Hash, 24, 65 },
        { MapType.Hash, 65, 16 },
        { MapType.Hash, 33, 129 },
        { MapType.Hash, 64, 193 },
        { MapType.Hash, 65, 257 },
        { MapType.Hash, 129, 1281 },
        { MapType.Hash, 300, 1 },
        { MapType.Hash, 512, 512 },
        { MapType.Hash, 512, 4097 },
        { MapType.Hash, 537, 5145 },
        { MapType.Hash, 2824, 4 },
        { MapType.Hash, 16, 16385 },
        { MapType.Hash, 11279, 1 },
        { MapType.Hash, 142, 90605 },
        { MapType.Array, 4, 300_001 },
        { MapType.PerCpuHash, 8, 8 },
        { MapType.PerCpuArray, 4, 1000 },
        { MapType.LpmTrie, 20, 130 },
    };

    [Theory, MemberData(nameof(Sizes))]
    public void A_change_takes_at_most_one_and_a_half_times_its_bytes_and_is_whole(MapType type, int keySize, int valueSize)
    {
        using var map = BpfMap.Create("ring_room", type, keySize, valueSize, Batch);
        using var hook = CaptureHook.Attach(new HookOptions { Probe = Probe.Syscall, RingBytes = 64 << 20 });
        hook.Watch(map.Info.Id, 1);
        var count = map.Info.ValueBytes > 10_000 ? Singles : Batch;
        var keys = KeysOf(type, keySize, count);
        var values = new byte[count * map.Info.ValueBytes];
        Random.NextBytes(values);

        for (var i = 0; i < Singles; i++)
            map.Update(keys.AsSpan(i * keySize, keySize), values.AsSpan(i * map.Info.ValueBytes, map.Info.ValueBytes));
        map.UpdateBatch(keys, values, count);
        var singleBytes = Singles * map.Info.ValueBytes;
        Check(hook, keySize, [.. keys[..(Singles * keySize)], .. keys], [.. values[..singleBytes], .. values]);
        if (type.IsArray())
            return;
        for (var i = 0; i < Singles; i++)
            map.Delete(keys.AsSpan(i * keySize, keySize));
        Check(hook, keySize, keys[..(Singles * keySize)], []);
    }

    private static byte[] KeysOf(MapType type, int keySize, int count)
    {
        var keys = new byte[count * keySize];
        Random.NextBytes(keys);
        for (var i = 0; i < count; i++)
        {
            // Of an array the index, of a trie the length of the prefix; else what tells the keys apart.
            keys[i * keySize] = (byte)i;
            if (type.IsArray() || type == MapType.LpmTrie)
                Bytes.Of(type.IsArray() ? i : (keySize - 4) * 8).CopyTo(keys, i * keySize);
        }
        return keys;
    }

    private static void Check(CaptureHook hook, int keySize, byte[] keys, byte[] values)
    {
        var (keysSeen, valuesSeen) = (new List<byte>(), new List<byte>());
        while (hook.Ring.TryRead(out var record))
        {
            ref readonly var header = ref RecordHeader.Of(record.Data);
            var (keyBytes, valueBytes) = ((int)(header.Count * header.KeySize), (int)(header.Count * header.ValueSize));
            keysSeen.AddRange(record.Data.Slice(RecordHeader.Size, keyBytes));
            valuesSeen.AddRange(record.Data.Slice(RecordHeader.Size + keyBytes, valueBytes));
            var needed = Header + keyBytes + valueBytes;
            Assert.InRange((double)(hook.Ring.Cursor - record.Position), needed, 1.5 * needed);
        }
        hook.Ring.Release(hook.Ring.Cursor);
        Assert.Equal(new Losses(), hook.ReadLosses(1));
        Assert.Equal(keys.Length / keySize, keysSeen.Count / keySize);
        Assert.True(keys.AsSpan().SequenceEqual(keysSeen.ToArray()), "The keys in the ring are others than those written.");
        Assert.True(values.AsSpan().SequenceEqual(valuesSeen.ToArray()), "The values in the ring are others than those written.");
    }
}
