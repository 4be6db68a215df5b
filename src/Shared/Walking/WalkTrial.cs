using System.Buffers.Binary;
using Maplog.Kernel;

namespace Maplog.Walking;

/// <summary>
/// Tries the walk on a map of our own, of the same kind and sizes, where it must give exactly the entries that bpf(2) gives: once in
/// full, then what changed, then nothing.
/// </summary>
internal static class WalkTrial
{
    private const uint MaxEntries = 256;
    private const int Filled = 150, Deleted = 40, Changed = 25;

    /// <summary>Why the walk cannot be believed on this kernel, for maps like this one; null: it can.</summary>
    public static string? Mistake(WalkFinder finder, MapInfo like, bool hasCast, string? kernelBtf = null)
    {
        using var map = BpfMap.Create(
            "walk_trial", like.Type, like.KeySize, like.ValueSize,
            Math.Min(MaxEntries, like.MaxEntries), like.Flags & MapFlags.Mappable);
        var place = finder.Find(map);
        if (!place.IsOf(map.Info))
            return "its iterator does not describe a map as bpf(2) does";
        using var walk = LinearWalk.Load(map.Info, place, null, hasCast, kernelBtf);
        Fill(map);
        if (Difference(walk, map, isAll: true) is { } full)
            return full;
        var changed = Change(map);
        walk.Begin();
        var found = Found(walk, map);
        if (found.Count != changed || Read(map).Count != walk.Live)
            return $"of {changed} values that changed it found {found.Count}";
        return Difference(walk, map, isAll: false) ?? Difference(walk, map, isAll: true);
    }

    private static string? Difference(LinearWalk walk, BpfMap map, bool isAll)
    {
        walk.Begin(isAll);
        var found = Found(walk, map);
        if (!isAll)
            return found.Count == 0 ? null : $"it found {found.Count} changes where there were none";
        foreach (var (key, value) in Read(map))
        {
            if (!found.Remove(key, out var walked) || walked != value)
                return "it gave other keys or values than bpf(2)";
        }
        return found.Count == 0 ? null : $"it gave {found.Count} entries that the map does not have";
    }

    private static void Fill(BpfMap map)
    {
        var count = (uint)Math.Min(Filled, map.Info.MaxEntries);
        for (uint i = 0; i < count; i++)
            map.Update(Key(map, i), Value(map, i));
        for (uint i = 0; i < Deleted && !map.Info.Type.IsArray(); i++)
            map.Delete(Key(map, i * 3 % count));
    }

    // Every bit of every value, so that no value stays what it was.
    private static int Change(BpfMap map)
    {
        var entries = Read(map).Take(Changed).ToList();
        foreach (var (key, value) in entries)
            map.Update(Convert.FromHexString(key), [.. Convert.FromHexString(value).Select(b => (byte)~b)]);
        return entries.Count;
    }

    private static Dictionary<string, string> Found(LinearWalk walk, BpfMap map)
    {
        var found = new Dictionary<string, string>();
        var keys = new byte[walk.Room * map.Info.KeySize];
        var values = new byte[walk.Room * map.Info.ValueSize];
        var places = new int[walk.Room];
        while (!walk.IsAtEnd)
        {
            walk.Continue(map, 64);
            var count = walk.Take(keys, values, places);
            Collect(map, keys, values, count, found);
        }
        return found;
    }

    private static Dictionary<string, string> Read(BpfMap map)
    {
        var read = new Dictionary<string, string>();
        byte[] keys = new byte[map.Info.KeySize * MaxEntries], values = new byte[map.Info.ValueSize * MaxEntries];
        var scan = map.Scan((int)MaxEntries);
        for (int count; (count = scan.Next(keys, values)) > 0;)
            Collect(map, keys, values, count, read);
        return read;
    }

    private static void Collect(BpfMap map, byte[] keys, byte[] values, int count, Dictionary<string, string> into)
    {
        var (keySize, valueSize) = (map.Info.KeySize, map.Info.ValueSize);
        for (var i = 0; i < count; i++)
            into[Convert.ToHexString(keys, i * keySize, keySize)] = Convert.ToHexString(values, i * valueSize, valueSize);
    }

    private static byte[] Key(BpfMap map, uint number)
    {
        var key = new byte[map.Info.KeySize];
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, number);
        bytes[..Math.Min(key.Length, bytes.Length)].CopyTo(key);
        return key;
    }

    private static byte[] Value(BpfMap map, uint number)
    {
        var value = new byte[map.Info.ValueSize];
        for (var i = 0; i < value.Length; i++)
            value[i] = (byte)(1 + (number * 131 + (uint)i * 7) % 255);
        return value;
    }
}
