using Maplog.Kernel;
using Maplog.Tests.Unit.Btf;

namespace Maplog.Tests.Kernel.Foreign;

/// <summary>Maps with BTF of their own, which the kernel frees with the map.</summary>
internal static class ShortLivedMap
{
    private const int Living = 8;

    public static BpfMap Create(string name)
    {
        var builder = new BtfBuilder();
        var type = builder.Integer("unsigned int", 4);
        using var btf = MapBtf.Load(builder.Build());
        return BpfMap.Create(name, MapType.Hash, sizeof(uint), sizeof(uint), 16, 0, btf, type, type);
    }

    /// <summary>Makes maps, one after the other. Each is changed once, lives for about twenty milliseconds, and ends.</summary>
    public static void Make(string name, int count)
    {
        var living = new Queue<BpfMap>();
        for (uint i = 0; i < count; i++)
        {
            living.Enqueue(Create(name));
            Change(living.Last(), i);
            if (living.Count == Living)
                living.Dequeue().Dispose();
            Thread.Sleep(2);
        }
        while (living.TryDequeue(out var map))
            map.Dispose();
    }

    public static void Change(BpfMap map, uint number) => map.Update(BitConverter.GetBytes(number), BitConverter.GetBytes(number));
}
