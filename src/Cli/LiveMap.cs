using System.Globalization;
using Maplog.Folding;
using Maplog.Kernel;

namespace Maplog.Cli;

/// <summary>A map of this kernel, named by an argument, with its present content.</summary>
internal static class LiveMap
{
    private const int Chunk = 4096;

    /// <param name="name">A pin's path (with a '/'), a kernel id (digits), or a name in the kernel.</param>
    /// <exception cref="KernelException">The map cannot be opened.</exception>
    /// <exception cref="UsageException">No map, or more than one, has this name.</exception>
    public static BpfMap Open(string name)
    {
        if (name.Contains('/', StringComparison.Ordinal))
            return BpfMap.OpenPinned(name, MapAccess.Read);
        if (uint.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            return BpfMap.OpenById(id, MapAccess.Read);
        var ids = BpfMap.FindByName(name);
        return ids.Count switch
        {
            1 => BpfMap.OpenById(ids[0], MapAccess.Read),
            0 => throw new UsageException($"This kernel has no map named '{name}'{Unknown()}: give the path of its pin, its id, or its name; 'bpftool map' lists the maps."),
            _ => throw new UsageException($"This kernel has {ids.Count} maps named '{name}': give one of the ids ({string.Join(", ", ids)}), or the path of its pin."),
        };
    }

    private static string Unknown()
    {
        var refused = BpfMap.Unopenable().ToList();
        return refused.Count == 0
            ? ""
            : $"among the maps that this process may open ({Counted(refused.Count, "map is", "maps are")} refused, id {refused[0].Id} with {Errno.Name(refused[0].Errno)})";
    }

    private static string Counted(int count, string one, string many) => $"{count} {(count == 1 ? one : many)}";

    /// <summary>The content that a scan finds; changes during the scan may or may not be in it.</summary>
    public static MapFold Read(BpfMap map, CancellationToken cancellation)
    {
        var info = map.Info;
        var content = new MapFold(info.KeySize, info.ValueBytes);
        var chunk = (int)Math.Clamp(16_000_000L / ((long)info.KeySize + info.ValueBytes), 1, Chunk);
        var scan = map.Scan(chunk);
        var keys = new byte[chunk * info.KeySize];
        var values = new byte[chunk * info.ValueBytes];
        for (int count; (count = scan.Next(keys, values)) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            for (var i = 0; i < count; i++)
            {
                var key = keys.AsSpan(i * info.KeySize, info.KeySize);
                if (info.Type == MapType.LpmTrie)
                    LpmKey.Normalise(key);
                content.Put(key, values.AsSpan(i * info.ValueBytes, info.ValueBytes));
            }
        }
        return content;
    }
}
