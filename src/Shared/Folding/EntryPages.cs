using System.Numerics;

namespace Maplog.Folding;

/// <summary>
/// Records of one size, packed without holes into slots 0 to <see cref="Count"/> - 1. They live in pages, so that the
/// whole may pass 2 GiB and growing copies nothing but a first page that is still small.
/// </summary>
internal sealed class EntryPages
{
    private const int PageBytes = 1 << 20;
    private const int FirstRecords = 16;

    private readonly int _stride;
    private readonly int _shift;
    private readonly int _mask;
    private readonly bool _stays;
    private byte[][] _pages = new byte[4][];
    private int _pageCount;

    /// <param name="stride">Bytes of a record.</param>
    /// <param name="stays">Whether whole pages stay where they are made.</param>
    public EntryPages(int stride, bool stays)
    {
        _stays = stays;
        _stride = stride;
        _shift = BitOperations.Log2((uint)Math.Max(1, PageBytes / stride));
        _mask = (1 << _shift) - 1;
    }

    public int Count { get; private set; }

    public long Bytes { get; private set; }

    public Span<byte> this[int slot] => _pages[slot >> _shift].AsSpan((slot & _mask) * _stride, _stride);

    /// <returns>The new record's slot; what the record holds is left over from earlier.</returns>
    public int Add()
    {
        var page = Count >> _shift;
        if (page == _pageCount)
            AddPage();
        else if (page == 0 && Count * _stride == _pages[0].Length)
            GrowFirstPage();
        return Count++;
    }

    /// <summary>Takes the last record away. One empty page is kept, so that a count that swings at a page's edge costs nothing.</summary>
    public void RemoveLast()
    {
        Count--;
        if (((Count + _mask) >> _shift) + 1 < _pageCount)
        {
            Bytes -= _pages[--_pageCount].Length;
            _pages[_pageCount] = null!;
        }
    }

    /// <summary>Takes all records away and keeps the memory.</summary>
    public void Clear() => Count = 0;

    private void AddPage()
    {
        if (_pageCount == _pages.Length)
            Array.Resize(ref _pages, _pageCount * 2);
        var records = _pageCount == 0 ? Math.Min(FirstRecords, _mask + 1) : _mask + 1;
        _pages[_pageCount] = New(records * _stride);
        Bytes += _pages[_pageCount++].Length;
    }

    private void GrowFirstPage()
    {
        var grown = New(_pages[0].Length * 2);
        _pages[0].CopyTo(grown, 0);
        Bytes += _pages[0].Length;
        _pages[0] = grown;
    }

    private byte[] New(int bytes) => GC.AllocateUninitializedArray<byte>(bytes, pinned: _stays && bytes > PageBytes / 2);
}
