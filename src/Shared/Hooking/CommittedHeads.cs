using System.Buffers.Binary;
using System.Text;
using Maplog.Kernel;

namespace Maplog.Hooking;

/// <summary>
/// The version up to which each stream of a source was committed from this host since its boot, in a map pinned next to the ring.
/// A log that ends before that version has lost confirmed events.
/// <code>
/// heads  hash, key 64 bytes: the map's half of the stream's name, then zeros; value u64 version, in this machine's byte order
/// </code>
/// </summary>
public sealed class CommittedHeads : IDisposable
{
    /// <summary>The name of the map's pin.</summary>
    internal const string Pin = "heads";

    private const int MaxStreams = 65536, NameBytes = 64, Chunk = 1024;

    private readonly BpfMap _map;
    private readonly byte[] _key = new byte[NameBytes], _value = new byte[sizeof(long)];

    private CommittedHeads(BpfMap map) => _map = map;

    /// <summary>Opens the map that is pinned in the folder, or creates it.</summary>
    public static CommittedHeads Open(string folder)
    {
        var path = Path.Combine(folder, Pin);
        if (File.Exists(path))
            return new CommittedHeads(BpfMap.OpenPinned(path));
        var map = BpfMap.Create("maplog_heads", MapType.Hash, NameBytes, sizeof(long), MaxStreams, MapFlags.NoPreallocation);
        try
        {
            map.Pin(path, replace: true);
            return new CommittedHeads(map);
        }
        catch
        {
            map.Dispose();
            throw;
        }
    }

    /// <summary>Notes that a stream is committed up to a version.</summary>
    /// <param name="stream">The map's half of the stream's name.</param>
    /// <param name="version">The last committed version.</param>
    /// <returns>False: the kernel has no room for the note.</returns>
    public bool Set(string stream, long version)
    {
        Array.Clear(_key);
        Encoding.UTF8.GetBytes(stream, _key);
        BinaryPrimitives.WriteInt64LittleEndian(_value, version);
        return _map.TryUpdate(_key, _value) == 0;
    }

    /// <summary>All notes, by the map's half of the stream's name.</summary>
    public IReadOnlyDictionary<string, long> Read()
    {
        var heads = new Dictionary<string, long>();
        byte[] keys = new byte[Chunk * NameBytes], values = new byte[Chunk * sizeof(long)];
        var scan = _map.Scan(Chunk);
        for (int count; (count = scan.Next(keys, values)) > 0;)
        {
            for (var i = 0; i < count; i++)
            {
                var name = keys.AsSpan(i * NameBytes, NameBytes).TrimEnd((byte)0);
                heads[Encoding.UTF8.GetString(name)] = BinaryPrimitives.ReadInt64LittleEndian(values.AsSpan(i * sizeof(long)));
            }
        }
        return heads;
    }

    public void Dispose() => _map.Dispose();
}
