using System.Buffers;
using Maplog.Events;
using Maplog.Folding;
using Maplog.Kernel;

namespace Maplog.Replicas;

/// <summary>
/// Checks whether a map had the content of a seal, a chunk at a time, while later changes go into the map. An entry counts with its value
/// at the seal: an entry that is about to change counts before its change, and the scan skips it later.
/// </summary>
public sealed class SealLook
{
    private const int Chunk = 2048;

    private readonly BpfMap _map;
    private readonly MapScan _scan;
    private readonly Sealed _seal;
    // Hashes of the keys that have counted, or that did not exist at the seal. Two keys with equal 64-bit hashes cost a repair that finds
    // nothing.
    private readonly HashSet<ulong> _seen;
    private readonly bool _isTrie;
    private readonly int _chunk;
    private ContentDigest _digest;

    /// <summary>Begins; the map has everything up to the seal, and no later change.</summary>
    /// <param name="replica">The replica.</param>
    /// <param name="seal">The seal with its content.</param>
    /// <param name="seen">Cleared and used: it is as large as the map, and the next check can use it again.</param>
    public SealLook(ReplicaMap replica, Sealed seal, HashSet<ulong> seen)
    {
        (_map, _seal, _seen) = (replica.Map, seal, seen);
        _isTrie = LpmKey.Applies(replica.Shape);
        _chunk = Math.Clamp((1 << 20) / (_map.Info.KeySize + _map.Info.ValueBytes), 1, Chunk);
        _scan = _map.Scan(_chunk);
        _digest = ContentDigest.ForFolded(replica.Shape); // a trie's keys are made so on the way
        _seen.Clear();
    }

    /// <summary>Whether the map had the content; null: not known yet.</summary>
    public bool? Holds { get; private set; }

    /// <summary>Continues with the next chunk.</summary>
    /// <exception cref="KernelException">The map could not be read: this check cannot be used any more.</exception>
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
    /// <exception cref="KernelException">The map could not be read: this check cannot be used any more.</exception>
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
