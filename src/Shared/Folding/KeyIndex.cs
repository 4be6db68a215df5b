namespace Maplog.Folding;

/// <summary>
/// From a key's hash to its slot: extendible hashing over small open-addressing tables. The hash's top bits choose a
/// table, its low bits the cell where the search begins. A full table splits in two, so no insert ever moves more than
/// one table. Removal shifts the cells behind it back: no tombstones, lookups stay short for ever.
/// </summary>
/// <param name="stays">Whether tables of full size stay where they are made.</param>
internal sealed class KeyIndex(bool stays)
{
    // A cell: hash in the high half, slot + 1 in the low half; 0 is free.
    private const int FirstCells = 16, MaxCells = 8192, MaxDepth = 18;

    private Table[] _directory = [new(new ulong[FirstCells], 0)];
    private int _depth;
    private ulong[] _spare = [];

    public long Bytes { get; private set; } = FirstCells * sizeof(ulong);

    /// <returns>The slot of the key, or -1.</returns>
    public int Find(uint hash, ReadOnlySpan<byte> key, EntryPages entries)
    {
        var cells = TableOf(hash).Cells;
        var mask = cells.Length - 1;
        for (var at = (int)hash & mask; cells[at] != 0; at = (at + 1) & mask)
        {
            if (HashIn(cells[at]) == hash && entries[SlotIn(cells[at])][..key.Length].SequenceEqual(key))
                return SlotIn(cells[at]);
        }
        return -1;
    }

    /// <summary>The key must not be there yet.</summary>
    public void Add(uint hash, int slot)
    {
        var table = TableOf(hash);
        while (table.Used + 1 > table.Cells.Length / 4 * 3)
        {
            Grow(table, hash);
            table = TableOf(hash);
        }
        table.Insert(Cell(hash, slot));
    }

    /// <summary>The slot must be there.</summary>
    public void Remove(uint hash, int slot)
    {
        var table = TableOf(hash);
        var cells = table.Cells;
        var mask = cells.Length - 1;
        var hole = table.PlaceOf(Cell(hash, slot));
        cells[hole] = 0;
        table.Used--;
        for (var at = (hole + 1) & mask; cells[at] != 0; at = (at + 1) & mask)
        {
            // A cell may move back into the hole only if its search begins at the hole or before it.
            var home = (int)HashIn(cells[at]) & mask;
            if (((at - home) & mask) < ((at - hole) & mask))
                continue;
            cells[hole] = cells[at];
            cells[at] = 0;
            hole = at;
        }
    }

    /// <summary>The record at slot <paramref name="from"/> is now at <paramref name="to"/>.</summary>
    public void Move(uint hash, int from, int to)
    {
        var table = TableOf(hash);
        table.Cells[table.PlaceOf(Cell(hash, from))] = Cell(hash, to);
    }

    /// <summary>Forgets all keys and keeps the memory.</summary>
    public void Clear()
    {
        foreach (var table in _directory)
        {
            if (table.Used > 0)
                table.Clear();
        }
    }

    private ulong[] New(int cells) => GC.AllocateArray<ulong>(cells, pinned: stays && cells == MaxCells);

    private static ulong Cell(uint hash, int slot) => (ulong)hash << 32 | (uint)(slot + 1);

    private static uint HashIn(ulong cell) => (uint)(cell >> 32);

    private static int SlotIn(ulong cell) => (int)(uint)cell - 1;

    private Table TableOf(uint hash) => _directory[(int)((ulong)hash >> (32 - _depth))];

    private void Grow(Table table, uint hash)
    {
        if (table.Cells.Length < MaxCells || table.Depth == MaxDepth)
        {
            var old = table.Cells;
            table.Cells = New(old.Length * 2);
            table.Used = 0;
            Bytes += old.Length * sizeof(ulong);
            foreach (var cell in old)
            {
                if (cell != 0)
                    table.Insert(cell);
            }
            return;
        }
        Split(table, hash);
    }

    private void Split(Table table, uint hash)
    {
        if (table.Depth == _depth)
        {
            var doubled = new Table[_directory.Length * 2];
            for (var i = 0; i < doubled.Length; i++)
                doubled[i] = _directory[i / 2];
            _directory = doubled;
            _depth++;
        }
        // The half with a 0 next stays in the table. Its cells so far are those of the next split: thrown away each time, they would come to as much as the index.
        var full = table.Cells;
        if (_spare.Length == 0)
        {
            _spare = New(MaxCells);
            Bytes += MaxCells * sizeof(ulong);
        }
        (table.Cells, _spare) = (_spare, full);
        table.Clear();
        table.Depth++;
        var high = new Table(New(MaxCells), table.Depth);
        foreach (var cell in full)
        {
            if (cell != 0)
                (((HashIn(cell) >> (32 - table.Depth)) & 1) == 0 ? table : high).Insert(cell);
        }
        // The places of the directory that shared the table's prefix: the second half of them is the new one's.
        var places = 1 << (_depth - table.Depth);
        var first = (int)((ulong)hash >> (32 - table.Depth) | 1) << (_depth - table.Depth);
        Array.Fill(_directory, high, first, places);
        Bytes += MaxCells * sizeof(ulong);
    }

    private sealed class Table(ulong[] cells, int depth)
    {
        public ulong[] Cells { get; set; } = cells;

        public int Depth { get; set; } = depth;

        public int Used { get; set; }

        public void Insert(ulong cell)
        {
            var mask = Cells.Length - 1;
            var at = (int)HashIn(cell) & mask;
            while (Cells[at] != 0)
                at = (at + 1) & mask;
            Cells[at] = cell;
            Used++;
        }

        public void Clear()
        {
            Array.Clear(Cells);
            Used = 0;
        }

        public int PlaceOf(ulong cell)
        {
            var mask = Cells.Length - 1;
            var at = (int)HashIn(cell) & mask;
            while (Cells[at] != cell)
            {
                if (Cells[at] == 0)
                    throw new InvalidOperationException("An entry of a fold was used after the fold had changed.");
                at = (at + 1) & mask;
            }
            return at;
        }
    }
}
