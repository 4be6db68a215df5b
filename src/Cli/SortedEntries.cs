using System.Buffers.Binary;
using System.Collections;
using Maplog.Events;
using Maplog.Folding;
using Maplog.Kernel;

namespace Maplog.Cli;

/// <summary>A fold's entries in the order of their keys, so that two prints of the same content are the same.</summary>
internal sealed class SortedEntries : IReadOnlyCollection<(byte[] Key, byte[] Value)>
{
    private readonly List<(byte[] Key, byte[] Value)> _entries;

    private SortedEntries(List<(byte[] Key, byte[] Value)> entries) => _entries = entries;

    public int Count => _entries.Count;

    /// <summary>Arrays by index; all others by the bytes of the key.</summary>
    public static SortedEntries Of(MapFold fold, MapShape shape)
    {
        var entries = new List<(byte[] Key, byte[] Value)>(fold.Count);
        foreach (var entry in fold)
            entries.Add((entry.Key.ToArray(), entry.Value.ToArray()));
        if (((MapType)shape.Type).IsArray() && shape.KeySize == sizeof(uint))
            entries.Sort((a, b) => Index(a.Key).CompareTo(Index(b.Key)));
        else
            entries.Sort((a, b) => a.Key.AsSpan().SequenceCompareTo(b.Key));
        return new SortedEntries(entries);
    }

    public IEnumerator<(byte[] Key, byte[] Value)> GetEnumerator() => _entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static uint Index(byte[] key) => BinaryPrimitives.ReadUInt32LittleEndian(key);
}
