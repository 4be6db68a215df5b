using System.Security.Cryptography;
using Maplog.Kernel;

namespace Maplog.Demo;

/// <summary>A map's entries at a moment.</summary>
internal static class MapContent
{
    private const int Chunk = 4096;

    /// <summary>Keys and values as hex, in the order of the keys.</summary>
    public static SortedDictionary<string, string> Read(BpfMap map)
    {
        var content = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Walk(map, (key, value) => content[Convert.ToHexStringLower(key)] = Convert.ToHexStringLower(value));
        return content;
    }

    /// <summary>How many entries there are, more or less: the map may change meanwhile.</summary>
    public static int Count(BpfMap map)
    {
        var count = 0;
        Walk(map, (_, _) => count++);
        return count;
    }

    public static int Count(string pin)
    {
        if (!File.Exists(pin))
            return 0;
        using var map = BpfMap.OpenPinned(pin, MapAccess.Read);
        return Count(map);
    }

    /// <summary>Begin of the SHA-256 of all keys and values in the order of the keys.</summary>
    public static string Hash(SortedDictionary<string, string> content)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (key, value) in content)
        {
            hash.AppendData(Convert.FromHexString(key));
            hash.AppendData(Convert.FromHexString(value));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }

    private static void Walk(BpfMap map, Action<ReadOnlySpan<byte>, ReadOnlySpan<byte>> entry)
    {
        int keySize = map.Info.KeySize, valueSize = map.Info.ValueBytes;
        byte[] keys = new byte[Chunk * keySize], values = new byte[Chunk * valueSize];
        var scan = map.Scan(Chunk);
        for (var count = scan.Next(keys, values); count > 0; count = scan.Next(keys, values))
        {
            for (var i = 0; i < count; i++)
                entry(keys.AsSpan(i * keySize, keySize), values.AsSpan(i * valueSize, valueSize));
        }
    }
}
