using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using JasperFx.Events;
using Maplog.Events;

namespace Maplog.Log;

/// <summary>
/// A batch as Marten's bulk call reads it. Marten writes each event out before it asks for the next, so there is one event
/// object per kind of change, filled anew each time, and one payload array per size.
/// </summary>
internal sealed class BatchEvents : IAsyncEnumerable<IEvent>
{
    private readonly Event<EntryAdded> _added = Of(new EntryAdded(), EventKind.EntryAdded);
    private readonly Event<EntryUpdated> _updated = Of(new EntryUpdated(), EventKind.EntryUpdated);
    private readonly Event<EntryDeleted> _deleted = Of(new EntryDeleted(), EventKind.EntryDeleted);
    private readonly Event<EntryEvicted> _evicted = Of(new EntryEvicted(), EventKind.EntryEvicted);
    private readonly ExactArrays _payloads = new();
    private readonly byte[] _id = new byte[16];
    private EventBatch _batch = null!;
    private long _sequence;

    public BatchEvents(string source)
    {
        // An event's id is made of source and sequence (a version 8 UUID): nothing random per change, and the same each time.
        SHA256.HashData(Encoding.UTF8.GetBytes(source)).AsSpan(0, 8).CopyTo(_id);
        _id[6] = (byte)((_id[6] & 0x0f) | 0x80);
    }

    /// <param name="batch">What to append.</param>
    /// <param name="sequence">The source's last sequence number.</param>
    public BatchEvents Over(EventBatch batch, long sequence)
    {
        _batch = batch;
        _sequence = sequence;
        return this;
    }

    public IAsyncEnumerator<IEvent> GetAsyncEnumerator(CancellationToken cancellationToken = default) => new Cursor(this);

    private IEvent Fill(int index)
    {
        var next = _batch[index];
        IEvent filled = next.Kind switch
        {
            EventKind.EntryAdded => With(_added, next.Payload),
            EventKind.EntryUpdated => With(_updated, next.Payload),
            EventKind.EntryDeleted => With(_deleted, next.Payload),
            EventKind.EntryEvicted => With(_evicted, next.Payload),
            _ => Note(next.Kind, next.Note!),
        };
        filled.Sequence = _sequence + index + 1;
        filled.Id = Id(filled.Sequence);
        filled.StreamKey = next.Stream.Key;
        filled.Version = next.Version.Value;
        filled.Timestamp = next.Time;
        return filled;
    }

    private Event<T> With<T>(Event<T> change, ReadOnlyMemory<byte> payload) where T : IChange
    {
        var array = _payloads.Get(payload.Length);
        payload.Span.CopyTo(array);
        change.Data.Payload = array;
        return change;
    }

    private Guid Id(long sequence)
    {
        BinaryPrimitives.WriteInt64BigEndian(_id.AsSpan(8), sequence | long.MinValue);
        return new Guid(_id, bigEndian: true);
    }

    private static IEvent Note(EventKind kind, object note) => note switch
    {
        MapOpened opened => Of(opened, kind),
        MapClosed closed => Of(closed, kind),
        EpochStarted started => Of(started, kind),
        GapFound gap => Of(gap, kind),
        MapMoved moved => Of(moved, kind),
        Sealed seal => Of(seal, kind),
        _ => Of((Pruned)note, kind),
    };

    private static Event<T> Of<T>(T data, EventKind kind) where T : notnull =>
        new(data) { EventTypeName = EventNames.Name(kind), DotNetTypeName = EventNames.Letter(kind) };

    private sealed class Cursor(BatchEvents events) : IAsyncEnumerator<IEvent>
    {
        private int _index = -1;

        public IEvent Current { get; private set; } = null!;

        public ValueTask<bool> MoveNextAsync()
        {
            if (++_index >= events._batch.Count)
                return ValueTask.FromResult(false);
            Current = events.Fill(_index);
            return ValueTask.FromResult(true);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
