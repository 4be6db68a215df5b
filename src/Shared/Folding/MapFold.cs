namespace Maplog.Folding;

/// <summary>
/// The content of a map in memory: flat bytes under an open-addressing index, no object per entry. An entry costs its
/// key and value, 10 bytes of stamp and tag, and about 15 bytes of index; a change of an entry allocates nothing.
/// Keys and values are bytes as bpf(2) has them. For one thread at a time.
/// </summary>
public sealed class MapFold
{
    private readonly EntryPages _entries;
    private readonly KeyIndex _index;

    /// <param name="keySize">Bytes of every key, at least 1.</param>
    /// <param name="valueSize">Bytes of every value; for the per-CPU kinds of all CPUs' values.</param>
    /// <param name="stays">
    /// Whether it is there for as long as its map is watched: its memory is then apart from what the garbage collector moves about,
    /// which would copy it twice and keep as much again ready meanwhile. What such a fold lets go, or itself, comes back late.
    /// </param>
    public MapFold(int keySize, int valueSize, bool stays = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keySize, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(valueSize);
        KeySize = keySize;
        ValueSize = valueSize;
        _entries = new EntryPages(checked(keySize + valueSize + FoldEntry.Extra), stays);
        _index = new KeyIndex(stays);
    }

    public int KeySize { get; }

    public int ValueSize { get; }

    public int Count => _entries.Count;

    /// <summary>Bytes of memory held.</summary>
    public long Bytes => _entries.Bytes + _index.Bytes;

    /// <returns>Whether the key was absent.</returns>
    public bool Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (value.Length != ValueSize)
            throw new ArgumentException($"A value of {value.Length} bytes was given to a fold whose values have {ValueSize}.", nameof(value));
        value.CopyTo(FindOrAdd(key, out var added).Value);
        return added;
    }

    public bool TryGet(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        var found = TryFind(key, out var entry);
        value = found ? entry.Value : default;
        return found;
    }

    public bool Contains(ReadOnlySpan<byte> key) => TryFind(key, out _);

    /// <summary>The key's entry, for reading and writing in place.</summary>
    public bool TryFind(ReadOnlySpan<byte> key, out FoldEntry entry)
    {
        CheckKey(key);
        var slot = _index.Find(HashOf(key), key, _entries);
        entry = slot < 0 ? default : EntryAt(slot);
        return slot >= 0;
    }

    /// <summary>The key's entry, made with a value of zeros if it was absent.</summary>
    public FoldEntry FindOrAdd(ReadOnlySpan<byte> key, out bool added)
    {
        CheckKey(key);
        var hash = HashOf(key);
        var slot = _index.Find(hash, key, _entries);
        added = slot < 0;
        if (!added)
            return EntryAt(slot);
        slot = _entries.Add();
        _index.Add(hash, slot);
        var record = _entries[slot];
        key.CopyTo(record);
        record[KeySize..].Clear();
        return EntryAt(slot);
    }

    /// <returns>Whether the key was there.</returns>
    public bool Remove(ReadOnlySpan<byte> key)
    {
        if (!TryFind(key, out var entry))
            return false;
        Remove(entry);
        return true;
    }

    /// <summary>Removes an entry that was just found or enumerated.</summary>
    public void Remove(FoldEntry entry)
    {
        _index.Remove(HashOf(entry.Key), entry.Slot);
        // The last record fills the hole, so that the records stay packed.
        var last = _entries.Count - 1;
        if (entry.Slot != last)
        {
            var moved = _entries[last];
            _index.Move(HashOf(moved[..KeySize]), last, entry.Slot);
            moved.CopyTo(_entries[entry.Slot]);
        }
        _entries.RemoveLast();
    }

    /// <summary>Removes all entries. The memory is kept for those to come.</summary>
    public void Clear()
    {
        _entries.Clear();
        _index.Clear();
    }

    /// <summary>Copies entries out, keys and values each end to end, to be asked for again from where it ended.</summary>
    /// <param name="from">How many entries to step over.</param>
    /// <param name="keys">Takes the keys.</param>
    /// <param name="values">Takes the values.</param>
    /// <returns>How many entries were copied: as many as there is room for; 0: there are no more.</returns>
    public int CopyTo(int from, Span<byte> keys, Span<byte> values)
    {
        var count = Math.Min(Count - from, keys.Length / KeySize);
        if (ValueSize > 0)
            count = Math.Min(count, values.Length / ValueSize);
        for (var i = 0; i < count; i++)
        {
            var record = _entries[from + i];
            record[..KeySize].CopyTo(keys[(i * KeySize)..]);
            record.Slice(KeySize, ValueSize).CopyTo(values[(i * ValueSize)..]);
        }
        return Math.Max(count, 0);
    }

    /// <summary>Puts entries that lie as <see cref="CopyTo"/> leaves them.</summary>
    public void Put(ReadOnlySpan<byte> keys, ReadOnlySpan<byte> values, int count)
    {
        for (var i = 0; i < count; i++)
            Put(keys.Slice(i * KeySize, KeySize), values.Slice(i * ValueSize, ValueSize));
    }

    /// <summary>
    /// One number per bucket of keys, whatever the order of the entries and whichever process asks: equal numbers,
    /// equal content (to 64 bits); a difference says in which bucket to look.
    /// </summary>
    public ulong[] Digest(int bucketCount)
    {
        var digest = new ulong[bucketCount];
        foreach (var entry in this)
        {
            var key = KeyHash.Of(entry.Key, 0);
            digest[(int)(key % (ulong)bucketCount)] += KeyHash.Of(entry.Value, key);
        }
        return digest;
    }

    /// <summary>Goes over all entries. The entry at hand may be removed on the way; entries added on the way are not seen.</summary>
    public Enumerator GetEnumerator() => new(this);

    private static uint HashOf(ReadOnlySpan<byte> key) => (uint)KeyHash.Of(key, KeyHash.ProcessSeed);

    private FoldEntry EntryAt(int slot) => new(_entries[slot], KeySize, slot);

    private void CheckKey(ReadOnlySpan<byte> key)
    {
        if (key.Length != KeySize)
            throw new ArgumentException($"A key of {key.Length} bytes was given to a fold whose keys have {KeySize}.", nameof(key));
    }

    /// <summary>From the last slot to the first: what a removal moves has been seen already.</summary>
    public ref struct Enumerator
    {
        private readonly MapFold _fold;
        private int _slot;

        internal Enumerator(MapFold fold)
        {
            _fold = fold;
            _slot = fold.Count;
        }

        public readonly FoldEntry Current => _fold.EntryAt(_slot);

        public bool MoveNext() => --_slot >= 0;
    }
}
