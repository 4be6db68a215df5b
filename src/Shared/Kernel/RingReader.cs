using System.Runtime.InteropServices;

namespace Maplog.Kernel;

/// <summary>
/// Reads a BPF ring buffer in place. Reading moves only a cursor of this reader. The position that the kernel reads, and at which the next
/// reader begins, moves only by <see cref="Release"/>. Until then the records stay in the ring. All positions are bytes since the ring was
/// created: 64 bits, only growing, multiples of 8. Only one thread may use it at a time, and a ring may have only one reader at a time.
/// Reading allocates nothing, except room for a record that wraps around the ring's end and is larger than the earlier ones. The ring is
/// mapped once: the kernel offers to map it twice in a row, so that no record is in two pieces, but then its bytes count twice in the
/// resident memory of a process.
/// </summary>
public sealed unsafe class RingReader : IDisposable
{
    private const int HeaderBytes = 8;

    /// <summary>BPF_RINGBUF_BUSY_BIT: reserved, not yet written.</summary>
    private const uint Busy = 1u << 31;

    /// <summary>BPF_RINGBUF_DISCARD_BIT: abandoned by the program.</summary>
    private const uint Discarded = 1u << 30;

    private readonly MappedPages _consumerPage, _otherPages;
    private readonly ulong _mask;
    private ulong* _consumer, _producer;
    private byte* _data;
    private ulong _cursor, _knownProducer, _released;
    private byte[] _wrapped = [];

    /// <summary>Maps a ring; the descriptor may be closed afterwards. The cursor begins at the consumer position.</summary>
    /// <param name="ringFd">A map of type ring buffer, pinned and used before, or new.</param>
    /// <param name="size">Its bytes (max_entries): a power of two.</param>
    public RingReader(SafeHandle ringFd, uint size)
    {
        if (size == 0 || (size & (size - 1)) != 0)
            throw new ArgumentOutOfRangeException(nameof(size), size, "A ring's size is a power of two.");
        nuint page = (nuint)Environment.SystemPageSize;
        // The kernel allows writes only to the consumer's page, and puts the data after the producer's page.
        _consumerPage = new MappedPages(ringFd, page, write: true, 0, "the ring's consumer position");
        try
        {
            _otherPages = new MappedPages(ringFd, page + size, write: false, (long)page, "the ring's records");
        }
        catch
        {
            _consumerPage.Dispose();
            throw;
        }

        _consumer = (ulong*)_consumerPage.Address;
        _producer = (ulong*)_otherPages.Address;
        _data = (byte*)_otherPages.Address + page;
        _mask = size - 1;
        Size = size;
        Rewind();
        _released = _cursor;
    }

    /// <summary>Bytes that the ring can hold, including headers.</summary>
    public uint Size { get; }

    /// <summary>The position of the next record to read.</summary>
    public ulong Cursor => _cursor;

    /// <summary>The position at which the kernel will put the next record.</summary>
    public ulong ProducerPosition => Volatile.Read(ref *Live(_producer));

    /// <summary>Everything before this position was released; the kernel may overwrite it.</summary>
    public ulong ConsumerPosition => Volatile.Read(ref *Live(_consumer));

    /// <summary>Whether another reader has released records that this reader has not: the kernel may overwrite them unread.</summary>
    public bool IsReleasedElsewhere
    {
        get
        {
            // In this order: Release writes its own position first.
            ulong consumer = ConsumerPosition;
            return consumer > Volatile.Read(ref _released);
        }
    }

    /// <summary>A reader of an open ring map.</summary>
    public static RingReader Open(BpfMap ring) => ring.Info.Type == MapType.RingBuffer
        ? new RingReader(ring, ring.Info.MaxEntries)
        : throw new ArgumentException($"{ring} is not a ring buffer.", nameof(ring));

    /// <summary>
    /// Returns the next whole record and moves the cursor past it. Discarded records are skipped. Reading stops at a record that is
    /// reserved and not yet written, even if there are whole records after it: the order is kept.
    /// </summary>
    /// <returns>False if there is none at the moment.</returns>
    public bool TryRead(out RingRecord record)
    {
        ulong* producer = Live(_producer);
        while (true)
        {
            if (_cursor == _knownProducer)
            {
                // Acquire: the headers up to this position are seen as written before it.
                _knownProducer = Volatile.Read(ref *producer);
                if (_cursor == _knownProducer)
                    break;
                if (_knownProducer - _cursor > Size)
                    throw Overrun();
            }

            byte* header = _data + (_cursor & _mask);
            // Acquire: the record's bytes are seen as written before the busy bit went.
            uint length = Volatile.Read(ref *(uint*)header);
            if ((length & Busy) != 0)
                break;
            ulong position = _cursor;
            uint bytes = length & ~Discarded;
            _cursor = EndOf(position, bytes);
            if (_cursor - position > Size)
                throw Overrun();
            if ((length & Discarded) != 0)
                continue;
            record = new RingRecord(position, Whole((position + HeaderBytes) & _mask, (int)bytes));
            return true;
        }

        record = default;
        return false;
    }

    /// <summary>
    /// Returns everything before <paramref name="position"/> to the kernel: call it when the records are safe elsewhere. Going back is not
    /// possible; a position that was released already changes nothing.
    /// </summary>
    /// <param name="position">A record's <see cref="RingRecord.End"/>, or the cursor.</param>
    public void Release(ulong position)
    {
        ulong* consumer = Live(_consumer);
        if (position > _cursor || position % HeaderBytes != 0)
            throw new ArgumentOutOfRangeException(nameof(position), position, $"Only whole records that were read can be released, up to {_cursor}.");
        // Release: all reads of the records come before the kernel may overwrite them.
        if (position <= *consumer)
            return;
        Volatile.Write(ref _released, position);
        Volatile.Write(ref *consumer, position);
    }

    /// <summary>Sets the cursor back to the consumer position: records that were read and not released are read again.</summary>
    public void Rewind() => _cursor = _knownProducer = ConsumerPosition;

    public void Dispose()
    {
        _consumer = _producer = null;
        _data = null;
        _consumerPage.Dispose();
        _otherPages.Dispose();
    }

    internal static ulong EndOf(ulong position, uint bytes) => position + ((HeaderBytes + (ulong)bytes + 7) & ~7ul);

    private ReadOnlySpan<byte> Whole(ulong start, int bytes)
    {
        int before = (int)Math.Min((ulong)bytes, Size - start);
        if (before == bytes)
            return new ReadOnlySpan<byte>(_data + start, bytes);
        if (_wrapped.Length < bytes)
            _wrapped = new byte[bytes];
        new ReadOnlySpan<byte>(_data + start, before).CopyTo(_wrapped);
        new ReadOnlySpan<byte>(_data, bytes - before).CopyTo(_wrapped.AsSpan(before));
        return _wrapped.AsSpan(0, bytes);
    }

    private ulong* Live(ulong* page)
    {
        ObjectDisposedException.ThrowIf(page == null, this);
        return page;
    }

    private InvalidOperationException Overrun() => new(
        $"The ring was written over at position {_cursor} (producer {ProducerPosition}, consumer {ConsumerPosition}, {Size} bytes) before it was released: another reader releases records of the same ring. Stop one of the two.");
}
