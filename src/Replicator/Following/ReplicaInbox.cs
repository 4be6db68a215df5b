using System.Threading.Channels;

namespace Maplog.Replicator.Following;

/// <summary>
/// Between the bus and one replica. It holds few messages: when the replica cannot keep up, the bus waits, and its bounded
/// queue forgets the oldest, which are in the log.
/// </summary>
internal sealed class ReplicaInbox
{
    private const int Room = 64;

    private readonly Channel<InboxItem> _items = Channel.CreateBounded<InboxItem>(new BoundedChannelOptions(Room) { SingleReader = true });

    public async ValueTask PutAsync(InboxItem item, CancellationToken cancellation)
    {
        while (!_items.Writer.TryWrite(item))
        {
            if (!await _items.Writer.WaitToWriteAsync(cancellation))
                return; // the replica has ended
        }
    }

    /// <summary>The replica has ended: what still comes is dropped.</summary>
    public void Close() => _items.Writer.TryComplete();

    /// <summary>Wakes the replica; one that has work is awake.</summary>
    public void Tick() => _items.Writer.TryWrite(default);

    public bool TryTake(out InboxItem item) => _items.Reader.TryRead(out item);

    public ValueTask<bool> WaitAsync(CancellationToken cancellation) => _items.Reader.WaitToReadAsync(cancellation);
}
