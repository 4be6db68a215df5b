using System.Buffers;
using Maplog.Events;
using Maplog.Folding;
using Maplog.Kernel;

namespace Maplog.Replicas;

/// <summary>
/// Whether a map held what a seal says, found a chunk at a time, while later changes go into the map: an entry counts as it was
/// at the seal, so one that is about to change counts before it does, and is stepped over when the scan comes to it.
/// </summary>
public sealed class SealLook
{
    private const int Chunk = 2048;

    private readonly BpfMap _map;
    private readonly MapScan _scan;
    private readonly Sealed _seal;
    // Hashes of the keys that have counted, or were not there at the seal. Two that agree in 64 bits cost a repair that finds nothing.
    private readonly HashSet<ulong> _seen;
    private readonly bool _isTrie;
    private readonly int _chunk;
    private ContentDigest _digest;

    /// <summary>Begins; everything up to the seal, and no change after it, is in the map.</summary>
    /// <param name="replica">Whose map.</param>
    /// <param name="seal">With its content.</param>
    /// <param name="seen">Cleared and used: it is as large as the map, and may be used again by the next look.</param>
    public SealLook(ReplicaMap replica, Sealed seal, HashSet<ulong> seen)
    {
        (_map, _seal, _seen) = (replica.Map, seal, seen);
        _isTrie = LpmKey.Applies(replica.Shape);
        _chunk = Math.Clamp((1 << 20) / (_map.Info.KeySize + _map.Info.ValueBytes), 1, Chunk);
        _scan = _map.Scan(_chunk);
        _digest = ContentDigest.ForFolded(replica.Shape); // a trie's keys are made so on the way
        _seen.Clear();
    }

    /// <summary>Whether the map held it; null: it is not known yet.</summary>
    public bool? Holds { get; private set; }

    /// <summary>Goes on by a chunk.</summary>
    /// <exception cref="KernelException">The map could not be read: this look is of no more use.</exception>
    public void Step()
    {
        var (keySize, valueBytes) = (_map.Info.KeySize, _map.Info.ValueBytes);
        byte[] keys = ArrayPool<byte>.Shared.Rent(_chunk * keySize), values = ArrayPool<byte>.Shared.Rent(_chunk * valueBytes);
        try
        {
            var count = _scan.Next(keys, values);
            for (var i = 0; i < count; i++)
            {
                var key = keys.AsSpan(i * keySize, keySize);
                if (_isTrie)
                    LpmKey.Normalise(key);
                if (IsNew(key))
                    _digest.Add(key, values.AsSpan(i * valueBytes, valueBytes));
            }
            if (count == 0)
                Holds = _digest.Entries == _seal.Entries && _digest.ToBytes().AsSpan().SequenceEqual(_seal.Content);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(keys);
            ArrayPool<byte>.Shared.Return(values);
        }
    }

    /// <summary>These changes are about to go into the map.</summary>
    /// <exception cref="KernelException">The map could not be read: this look is of no more use.</exception>
    public void Expect(PendingChanges changes)
    {
        var value = ArrayPool<byte>.Shared.Rent(_map.Info.ValueBytes);
        try
        {
            foreach (var entry in changes.Entries)
            {
                if (IsNew(entry.Key) && _map.Lookup(entry.Key, value))
                    _digest.Add(entry.Key, value.AsSpan(0, _map.Info.ValueBytes));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(value);
        }
    }

    private bool IsNew(ReadOnlySpan<byte> key) => _seen.Add(KeyHash.Of(key, KeyHash.ProcessSeed));
}
