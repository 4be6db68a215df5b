using System.Threading.Channels;

namespace Maplog.Replicator.Following;

/// <summary>
/// The bounded queue between the bus and one replica; nobody waits for room. If a replica cannot keep up, the inbox drops blocks without
/// room, and also later blocks until the replica has taken the rest. So the replica has to read one range from the log, and not many.
/// </summary>
/// <param name="mostBytes">The inbox holds this many bytes of blocks, plus one block.</param>
internal sealed class ReplicaInbox(long mostBytes = ReplicaInbox.MostBytes)
{
    public const long MostBytes = 16 << 20;

    private const int MostItems = 1024;

    private readonly Channel<InboxItem> _items = Channel.CreateBounded<InboxItem>(new BoundedChannelOptions(MostItems) { SingleReader = true });
    private long _bytes;
    private volatile bool _hasMissed;
    private int _broken;

    /// <summary>Adds the item if there is room.</summary>
    public void TryPut(InboxItem item)
    {
        // A second item would add no information.
        if (item.Broken is not null && Interlocked.Exchange(ref _broken, 1) == 1)
            return;
        var size = SizeOf(item);
        if (size > 0 && (_hasMissed || Interlocked.Read(ref _bytes) >= mostBytes))
        {
            _hasMissed = _items.Reader.Count > 0;
            if (_hasMissed)
                return;
        }
        Interlocked.Add(ref _bytes, size);
        if (_items.Writer.TryWrite(item))
            return;
        Took(item);
        _hasMissed |= size > 0;
    }

    /// <summary>Adds the head of the log, as soon as there is room.</summary>
    public async ValueTask PutAsync(AskedHead head, CancellationToken cancellation)
    {
        while (!_items.Writer.TryWrite(new InboxItem(Head: head)))
        {
            if (!await _items.Writer.WaitToWriteAsync(cancellation))
                return; // the replica has ended
        }
    }

    /// <summary>The replica has ended: present and later items are dropped.</summary>
    public void Close()
    {
        _items.Writer.TryComplete();
        while (TryTake(out _))
        {
        }
    }

    /// <summary>Wakes the replica; a replica with items is awake.</summary>
    public void Tick() => _items.Writer.TryWrite(default);

    public bool TryTake(out InboxItem item)
    {
        if (!_items.Reader.TryRead(out item))
            return false;
        Took(item);
        return true;
    }

    public ValueTask<bool> WaitAsync(CancellationToken cancellation) => _items.Reader.WaitToReadAsync(cancellation);

    private void Took(in InboxItem item)
    {
        if (item.Broken is not null)
            Volatile.Write(ref _broken, 0);
        Interlocked.Add(ref _bytes, -SizeOf(item));
    }

    private static int SizeOf(in InboxItem item) => item.Block?.Bytes.Length ?? 0;
}
