using Maplog.Kernel;

namespace Maplog.Tests.Kernel;

public static class ScanAll
{
    /// <summary>All entries of a map as numbers of key -> value bytes; a key given twice fails unless repeats are allowed.</summary>
    public static Dictionary<int, byte[]> ReadAll(this BpfMap map, int chunk = 100, int room = 100, bool repeats = false)
    {
        var entries = new Dictionary<int, byte[]>();
        byte[] keys = new byte[room * map.Info.KeySize], values = new byte[room * map.Info.ValueBytes];
        MapScan scan = map.Scan(chunk);
        for (int filled; (filled = scan.Next(keys, values)) > 0;)
        {
            Assert.InRange(filled, 1, Math.Min(chunk, room));
            for (int i = 0; i < filled; i++)
            {
                int key = Bytes.Number(keys.AsSpan(i * map.Info.KeySize));
                byte[] value = values.AsSpan(i * map.Info.ValueBytes, map.Info.ValueBytes).ToArray();
                if (repeats)
                    entries[key] = value;
                else
                    Assert.True(entries.TryAdd(key, value), $"key {key} came twice");
            }
        }

        Assert.Equal(0, scan.Next(keys, values));
        return entries;
    }
}
