using Maplog.Folding;
using Maplog.Kernel;

namespace Maplog.Replicas;

/// <summary>
/// Brings a replica's map from its cursor to the end of the pending changes: deletes before adds, so that a map as large as the source's
/// map never overflows in between, and in the kernel's batches. Repeating the same changes does no harm.
/// </summary>
public sealed class BatchApplier
{
    private const int BatchBytes = 1 << 20;
    private const int MostEntries = 4096;

    private readonly ReplicaMap _replica;
    private readonly BpfMap _map;
    private readonly MapFold _stale;
    private readonly byte[] _keys;
    private readonly byte[] _values;
    private readonly int _room;
    private int _filled;
    private ushort _phase; // the tag of the entries that the kernel gets at present
    private long _done; // how many of those it has

    public BatchApplier(ReplicaMap replica)
    {
        _replica = replica;
        _map = replica.Map;
        _room = Math.Clamp(BatchBytes / (_map.Info.KeySize + _map.Info.ValueBytes), 1, MostEntries);
        _keys = new byte[_room * _map.Info.KeySize];
        _values = new byte[_room * _map.Info.ValueBytes];
        _stale = new MapFold(_map.Info.KeySize, 0);
    }

    /// <summary>Entries written so far.</summary>
    public long Written { get; private set; }

    /// <summary>Entries deleted so far.</summary>
    public long Deleted { get; private set; }

    /// <summary>Keys to delete that the map did not have. In an LRU map: entries that its own kernel had evicted.</summary>
    public long Absent { get; private set; }

    /// <summary>Entries of the log that an LRU map did not have at the last repair: its own kernel evicted them.</summary>
    public long Evicted { get; private set; }

    /// <summary>
    /// Applies all changes, and moves the cursor. After an exception call it again, with the same or more changes: it continues with the
    /// refused entry.
    /// </summary>
    /// <exception cref="ReplicaException">The map is full or cannot be written. The cursor stays.</exception>
    public void Apply(PendingChanges pending)
    {
        try
        {
            _replica.Begin(pending.End);
            if (pending.FromEmpty)
                Sweep(pending);
            else
                Delete(pending);
            Write(pending);
            _replica.Commit(pending.Time);
        }
        catch (KernelException e)
        {
            // A sweep compares the whole map again, so it finds the present content.
            if (!pending.FromEmpty)
                Settle(pending);
            throw Refused(e);
        }
    }

    /// <summary>Whether the map has no entry; an array always has all of its entries.</summary>
    public bool IsMapEmpty() => !_map.Info.Type.IsArray() && _map.Scan(_room).Next(_keys, _values) == 0;

    /// <summary>Writes contiguous entries. The cursor stays; repeating the call does no harm.</summary>
    /// <param name="keys">The keys.</param>
    /// <param name="values">The values.</param>
    /// <param name="count">How many.</param>
    /// <param name="loaded">How many of them are in the map already; after an exception the same call continues there.</param>
    /// <exception cref="ReplicaException">The map is full or cannot be written.</exception>
    public void Load(ReadOnlySpan<byte> keys, ReadOnlySpan<byte> values, int count, ref int loaded)
    {
        var (keySize, valueBytes) = (_map.Info.KeySize, _map.Info.ValueBytes);
        try
        {
            while (loaded < count)
            {
                var some = Math.Min(_room, count - loaded);
                var written = _map.UpdateBatch(keys.Slice(loaded * keySize, some * keySize), values.Slice(loaded * valueBytes, some * valueBytes), some);
                Written += written;
                loaded += written;
            }
        }
        catch (KernelException e)
        {
            Written += e.Done;
            loaded += e.Done;
            throw Refused(e);
        }
    }

    /// <summary>The number of additional entries after these changes.</summary>
    public long Growth(PendingChanges pending)
    {
        long more = 0;
        foreach (var entry in pending.Entries)
        {
            var isHeld = _map.Lookup(entry.Key, Value(0));
            more += (isHeld, entry.Tag) switch { (false, PendingChanges.Put) => 1, (true, PendingChanges.Delete) => -1, _ => 0 };
        }
        return more;
    }

    /// <summary>
    /// The map may have any content: entries that the changes do not have are removed, and correct entries stay untouched. Entries of an
    /// array cannot be removed; they become zero.
    /// </summary>
    private void Sweep(PendingChanges pending)
    {
        bool isArray = _map.Info.Type.IsArray(), isTrie = LpmKey.Applies(_replica.Shape);
        // An LRU map would only evict these entries again.
        var isSubset = pending.HadTo is not null && _map.Info.Type.IsLru();
        long lacked = 0;
        foreach (var entry in pending.Entries)
        {
            var isEvicted = isSubset && entry.Tag == PendingChanges.Had;
            lacked += isEvicted ? 1 : 0;
            Retag(entry, isEvicted ? PendingChanges.Had : PendingChanges.Put);
        }
        _stale.Clear();
        var scan = _map.Scan(_room);
        for (int count; (count = scan.Next(_keys, _values)) > 0;)
        {
            for (var i = 0; i < count; i++)
            {
                if (isTrie)
                    LpmKey.Normalise(Key(i));
                ReadOnlySpan<byte> key = Key(i), value = Value(i);
                if (pending.Entries.TryFind(key, out var wanted))
                {
                    lacked -= wanted.Tag == PendingChanges.Had ? 1 : 0;
                    Retag(wanted, wanted.Value.SequenceEqual(value) ? PendingChanges.Held : PendingChanges.Put);
                }
                else if (!isArray)
                    _stale.FindOrAdd(key, out _);
                else if (value.ContainsAnyExcept((byte)0))
                    pending.Entries.FindOrAdd(key, out _);
            }
        }
        Evicted = lacked;
        // Only now: deleting during the scan would make the scan of some kinds start again.
        foreach (var entry in _stale)
            AddKey(entry.Key);
        FlushDeletes();
    }

    private void Delete(PendingChanges pending)
    {
        (_phase, _done) = (PendingChanges.Delete, 0);
        foreach (var entry in pending.Entries)
        {
            if (entry.Tag == PendingChanges.Delete)
                AddKey(entry.Key);
        }
        FlushDeletes();
    }

    private void Write(PendingChanges pending)
    {
        (_phase, _done) = (PendingChanges.Put, 0);
        foreach (var entry in pending.Entries)
        {
            if (entry.Tag != PendingChanges.Put)
                continue;
            entry.Key.CopyTo(Key(_filled));
            entry.Value.CopyTo(Value(_filled));
            if (++_filled == _room)
                FlushWrites();
        }
        FlushWrites();
    }

    private void AddKey(ReadOnlySpan<byte> key)
    {
        key.CopyTo(Key(_filled));
        if (++_filled == _room)
            FlushDeletes();
    }

    private void FlushDeletes()
    {
        var count = Taken();
        try
        {
            var deleted = _map.DeleteBatch(_keys, count);
            Deleted += deleted;
            Absent += count - deleted;
            _done += count;
        }
        catch (KernelException e)
        {
            _done += e.Done;
            throw;
        }
    }

    private void FlushWrites()
    {
        var count = Taken();
        try
        {
            _map.UpdateBatch(_keys, _values, count);
            Written += count;
            _done += count;
        }
        catch (KernelException e)
        {
            Written += e.Done;
            _done += e.Done;
            throw;
        }
    }

    // The entries go to the kernel in the order of the fold, which stays the same until entries are added.
    private void Settle(PendingChanges pending)
    {
        var left = _done;
        foreach (var entry in pending.Entries)
        {
            var isDone = entry.Tag == _phase ? left-- > 0 : entry.Tag == PendingChanges.Delete;
            if (isDone)
                Retag(entry, PendingChanges.Held);
        }
    }

    // Emptied before the kernel is called: after a refusal the next attempt begins empty.
    private int Taken()
    {
        var filled = _filled;
        _filled = 0;
        return filled;
    }

    private static void Retag(FoldEntry entry, ushort tag) => entry.Tag = tag;

    private Span<byte> Key(int index) => _keys.AsSpan(index * _map.Info.KeySize, _map.Info.KeySize);

    private Span<byte> Value(int index) => _values.AsSpan(index * _map.Info.ValueBytes, _map.Info.ValueBytes);

    private ReplicaException Refused(KernelException refusal)
    {
        var place = $"Replica {_replica.Pin} of stream {_replica.Stream}";
        var stays = $"The replica stays at {_replica.Cursor} and tries again.";
        var sentence = refusal.Errno switch
        {
            Errno.E2big => $"{place} is full at {_map.Info.MaxEntries} entries, although the source's map had room: another program writes into the replica's map: remove its entries, or find the program. {stays}",
            Errno.Eperm when _map.IsFrozen() => $"{place} cannot be written: its map is frozen and stays frozen. Remove the pin {_replica.Pin}, and the replicator creates another map. {stays}",
            Errno.Eperm => $"{place} cannot be written: the kernel does not permit it. Is the map read-only, or does this process lack CAP_BPF? {stays}",
            Errno.Enomem => $"{place} cannot be written: the kernel has no memory for another entry. Free memory, or raise the limit of this service's control group. {stays}",
            _ => $"{place} cannot be written. {stays}",
        };
        return new ReplicaException($"{sentence} The kernel said: {refusal.Message}", refusal, mayPass: true);
    }
}
