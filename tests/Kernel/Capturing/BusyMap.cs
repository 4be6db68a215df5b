using System.Buffers.Binary;
using Maplog.Folding;
using Maplog.Kernel;

namespace Maplog.Tests.Kernel.Capturing;

/// <summary>A hash map as large as they come, changed by bpf(2) as fast as it goes.</summary>
internal static class BusyMap
{
    private const int Keys = 50_000, KeySize = 24, ValueSize = 64, Batch = 500, EveryTenth = 10;

    public static BpfMap Create(string name) => BpfMap.Create(name, MapType.Hash, KeySize, ValueSize, Keys);

    /// <summary>Where map and fold differ; null: nowhere.</summary>
    public static string? Difference(BpfMap map, StreamFold fold)
    {
        var live = map.ReadAll(chunk: 4096, room: 4096);
        if (live.Count != fold.Entries.Count)
            return $"The map has {live.Count} entries, the log {fold.Entries.Count}.";
        foreach (var entry in fold.Entries)
        {
            if (!live.TryGetValue(Bytes.Number(entry.Key), out var value) || !entry.Value.SequenceEqual(value))
                return $"Key {Bytes.Number(entry.Key)} is another in the map than in the log.";
        }
        return null;
    }

    /// <summary>Batches and single calls by turns; every tenth round is deleted again.</summary>
    public static void Change(BpfMap map, int changes, int seed = 7)
    {
        var keys = new byte[Batch * KeySize];
        var values = new byte[Batch * ValueSize];
        var random = new Random(seed);
        var made = 0;
        for (var round = 0; made < changes; round++)
        {
            random.NextBytes(values);
            var first = random.Next(Keys - Batch);
            for (var i = 0; i < Batch; i++)
                BinaryPrimitives.WriteInt32LittleEndian(keys.AsSpan(i * KeySize), first + i);
            if (round % 3 == 0)
                made += map.UpdateBatch(keys, values, Batch);
            for (var i = 0; i < Batch && round % 3 != 0; i++, made++)
                map.Update(keys.AsSpan(i * KeySize, KeySize), values.AsSpan(i * ValueSize, ValueSize));
            if (round % EveryTenth == 0 && made + Batch <= changes)
                made += map.DeleteBatch(keys, Batch);
        }
    }
}
