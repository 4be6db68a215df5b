using Maplog.Folding;
using Maplog.Kernel;

namespace Maplog.Benchmarks.Rows;

/// <summary>The least that writing a map could cost: its entries lie in memory, in batches as the kernel takes them.</summary>
internal sealed class BareMap
{
    private const int Batch = 4096;
    private readonly List<(byte[] Keys, byte[] Values, int Count)> _batches = [];

    public BareMap(MapFold content)
    {
        for (var done = 0; done < content.Count;)
        {
            byte[] keys = new byte[Batch * content.KeySize], values = new byte[Batch * content.ValueSize];
            var count = content.CopyTo(done, keys, values);
            _batches.Add((keys, values, count));
            done += count;
        }
    }

    /// <summary>Makes the map, writes it with batch updates, and pins it.</summary>
    public void Write(string pin, Sizes sizes)
    {
        var shape = FilledLog.Shape(sizes);
        using var map = BpfMap.Create("ct_map", (MapType)shape.Type, shape.KeySize, shape.ValueSize, shape.MaxEntries);
        foreach (var (keys, values, count) in _batches)
            map.UpdateBatch(keys, values, count);
        map.Pin(pin);
    }
}
