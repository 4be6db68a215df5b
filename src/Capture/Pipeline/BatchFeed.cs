using System.Collections.Concurrent;
using System.Threading.Channels;
using Maplog.Bus;
using Maplog.Events;
using Maplog.Log;

namespace Maplog.Capture.Pipeline;

/// <summary>
/// Turns committed batches into blocks for the bus, one block per stream and shape, and lets them wait for the publisher,
/// up to a bound in bytes: what does not fit is dropped, and replicas read it from the log.
/// </summary>
internal sealed class BatchFeed : IDisposable
{
    private const int MostWaiting = 64 << 20, MostBlockBytes = 1 << 20;

    private readonly Channel<Outgoing> _waiting = Channel.CreateUnbounded<Outgoing>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
    private readonly ConcurrentDictionary<StreamHandle, OpenBlock> _open = [];
    private readonly ConcurrentDictionary<StreamName, Heartbeat> _dropped = [];
    // The commit's thread writes these, the publisher and the metrics read them.
    private long _waitingBytes, _droppedBlocks;
    private volatile int _terms;

    /// <summary>Blocks dropped because the bus was away or slow. Any thread may read it.</summary>
    public long Dropped => Interlocked.Read(ref _droppedBlocks);

    /// <summary>Terms that are over. Any thread may read it.</summary>
    public int Terms => _terms;

    /// <summary>This writer's term is over: its heads are not to be told any more, a replica that hears them would not look for the next writer's.</summary>
    public void EndTerm()
    {
        Interlocked.Increment(ref _terms);
        _dropped.Clear();
    }

    /// <summary>Ends when a block waits.</summary>
    public ValueTask<bool> WaitAsync(CancellationToken cancellation) => _waiting.Reader.WaitToReadAsync(cancellation);

    /// <summary>The next block, if one waits.</summary>
    public bool TryTake(out Outgoing block)
    {
        if (!_waiting.Reader.TryRead(out block))
            return false;
        Interlocked.Add(ref _waitingBytes, -block.Block.Length);
        return true;
    }

    /// <summary>The heads of streams whose blocks were dropped since this was last asked: nobody else tells of them.</summary>
    public IEnumerable<Heartbeat> TakeDropped()
    {
        foreach (var stream in _dropped.Keys)
        {
            if (_dropped.TryRemove(stream, out var head))
                yield return head;
        }
    }

    /// <summary>Says the shape of a stream that goes on with the map it had; before the first of its changes.</summary>
    public void Resume(StreamHandle stream, MapShape shape) => OpenOf(stream).Shape = shape;

    public void Publish(EventBatch batch, Epoch epoch)
    {
        for (var i = 0; i < batch.Count; i++)
        {
            var logged = batch[i];
            var block = OpenOf(logged.Stream);
            if (logged.Note is MapOpened opened)
            {
                // A block has one shape.
                Finish(block, epoch);
                block.Shape = opened.Shape;
            }
            if (!block.IsBegun)
                block.Begin(logged, epoch);
            block.Add(logged);
            if (block.Writer.Size >= MostBlockBytes)
                Finish(block, epoch);
        }
        foreach (var range in batch.Streams)
            Finish(OpenOf(range.Stream), epoch);
    }

    public void Dispose()
    {
        foreach (var block in _open.Values)
            block.Writer.Dispose();
    }

    private OpenBlock OpenOf(StreamHandle stream) => _open.GetOrAdd(stream, _ => new OpenBlock());

    private void Finish(OpenBlock block, Epoch epoch)
    {
        if (!block.IsBegun)
            return;
        // Not from a pool, which would keep as many as ever waited at once.
        var bytes = block.Finish().ToArray();
        var head = new Heartbeat(block.Writer.Stream, epoch, block.Last, block.Newest);
        if (Interlocked.Read(ref _waitingBytes) > MostWaiting)
        {
            _dropped[head.Stream] = head;
            Interlocked.Increment(ref _droppedBlocks);
            return;
        }
        Interlocked.Add(ref _waitingBytes, bytes.Length);
        _waiting.Writer.TryWrite(new Outgoing(Terms, head, bytes));
    }

    /// <summary>A block that waits.</summary>
    /// <param name="Term">Which of the feed's terms it is of.</param>
    /// <param name="Head">Where its stream is when it was received.</param>
    /// <param name="Block">Its bytes on the bus.</param>
    public readonly record struct Outgoing(int Term, Heartbeat Head, byte[] Block);

    private sealed class OpenBlock
    {
        public StreamVersion Last { get; private set; }

        public DateTimeOffset Newest { get; private set; }

        public ChangeBlockWriter Writer { get; } = new();

        public MapShape? Shape { get; set; }

        public bool IsBegun { get; private set; }

        public void Begin(in BatchedEvent first, Epoch epoch)
        {
            Writer.Begin(first.Stream.Name, epoch, first.Version, Shape?.KeySize ?? 0, Shape?.ValueBytes ?? 0);
            IsBegun = true;
        }

        public void Add(in BatchedEvent logged)
        {
            (Last, Newest) = (logged.Version, logged.Time);
            if (logged.Note is not null)
            {
                Writer.AddNote(logged.Kind, NoteCodec.Write(logged.Note));
                return;
            }
            Writer.AddChange(logged.Kind, ChangePayload.Read(logged.Payload.Span));
        }

        public ReadOnlyMemory<byte> Finish()
        {
            IsBegun = false;
            return Writer.Finish(Newest);
        }
    }
}
