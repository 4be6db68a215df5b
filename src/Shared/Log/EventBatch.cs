using System.Buffers;
using Maplog.Events;

namespace Maplog.Log;

/// <summary>
/// Events of several streams of one source, to be committed together. Made to be filled, appended, cleared and filled again:
/// once it has grown to its size it allocates nothing per change. One thread at a time.
/// </summary>
public sealed class EventBatch : IDisposable
{
    private readonly List<StreamRange> _streams = [];
    private readonly Dictionary<string, int> _slots = new(StringComparer.Ordinal);
    // Most events follow one of the same stream.
    private StreamHandle? _latest;
    private int _latestSlot;
    private Slot[] _events = new Slot[256];
    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(64 * 1024);
    private int _count;
    private int _used;

    /// <summary>Events in the batch.</summary>
    public int Count => _count;

    /// <summary>Bytes of all payloads.</summary>
    public int Bytes => _used;

    /// <summary>The streams, in the order in which they came, with the versions each has here.</summary>
    public IReadOnlyList<StreamRange> Streams => _streams;

    public BatchedEvent this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)_count);
            ref readonly var slot = ref _events[index];
            return new BatchedEvent(slot.Stream, new StreamVersion(slot.Version), slot.Time, slot.Kind, _bytes.AsMemory(slot.Offset, slot.Size), slot.Note);
        }
    }

    /// <summary>Adds a change and returns the place for its payload, to be filled before anything else is added.</summary>
    /// <param name="stream">Its stream; all streams of a batch belong to one source.</param>
    /// <param name="version">The version after the stream's last one.</param>
    /// <param name="time">When it happened, never earlier than the event before.</param>
    /// <param name="kind">One of the four changes.</param>
    /// <param name="payloadSize">Bytes of the payload, see <see cref="ChangePayload.Size"/>.</param>
    public Span<byte> AddChange(StreamHandle stream, StreamVersion version, DateTimeOffset time, EventKind kind, int payloadSize)
    {
        if (!kind.IsChange())
            throw new ArgumentException($"{kind} is a note, not a change.", nameof(kind));
        ArgumentOutOfRangeException.ThrowIfNegative(payloadSize);
        Extend(stream, version);
        if (payloadSize > _bytes.Length - _used)
            Grow(payloadSize);
        Next() = new Slot(stream, version.Value, time, kind, _used, payloadSize, null);
        var place = _bytes.AsSpan(_used, payloadSize);
        _used += payloadSize;
        return place;
    }

    /// <inheritdoc cref="AddChange(StreamHandle, StreamVersion, DateTimeOffset, EventKind, int)"/>
    public void AddChange(StreamHandle stream, StreamVersion version, DateTimeOffset time, EventKind kind, ReadOnlySpan<byte> payload) =>
        payload.CopyTo(AddChange(stream, version, time, kind, payload.Length));

    /// <summary>Adds a note: a <see cref="MapOpened"/>, <see cref="EpochStarted"/>, <see cref="GapFound"/> …</summary>
    public void AddNote(StreamHandle stream, StreamVersion version, DateTimeOffset time, object note)
    {
        var kind = NoteCodec.KindOf(note);
        Extend(stream, version);
        Next() = new Slot(stream, version.Value, time, kind, _used, 0, note);
    }

    /// <summary>Empties the batch; its memory stays.</summary>
    public void Clear()
    {
        _streams.Clear();
        _slots.Clear();
        _latest = null;
        _events.AsSpan(0, _count).Clear();
        _count = 0;
        _used = 0;
    }

    public void Dispose()
    {
        Clear();
        var bytes = _bytes;
        _bytes = [];
        if (bytes.Length > 0)
            ArrayPool<byte>.Shared.Return(bytes);
    }

    private void Extend(StreamHandle stream, StreamVersion version)
    {
        if (stream != _latest && !Find(stream))
        {
            if (_streams.Count > 0 && _streams[0].Stream.Name.Source != stream.Name.Source)
                throw new ArgumentException(
                    $"A batch of source {_streams[0].Stream.Name.Source} cannot take an event of {stream.Key}: a batch is of one source.", nameof(stream));
            if (version.Value < 1)
                throw new ArgumentException($"Version {version} of {stream.Key} does not exist: the first is 1.", nameof(version));
            (_latest, _latestSlot) = (stream, _streams.Count);
            _slots.Add(stream.Key, _latestSlot);
            _streams.Add(new StreamRange(stream, version, version));
            return;
        }
        var range = _streams[_latestSlot];
        if (version != range.Last.Next)
            throw new ArgumentException($"Version {version} of {stream.Key} cannot follow {range.Last}: a stream has no holes.", nameof(version));
        _streams[_latestSlot] = range with { Last = version };
    }

    private bool Find(StreamHandle stream)
    {
        if (!_slots.TryGetValue(stream.Key, out var slot))
            return false;
        (_latest, _latestSlot) = (stream, slot);
        return true;
    }

    private ref Slot Next()
    {
        if (_count == _events.Length)
            Array.Resize(ref _events, _count * 2);
        return ref _events[_count++];
    }

    private void Grow(int size)
    {
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max((long)_bytes.Length * 2, (long)_used + size), Array.MaxLength));
        _bytes.AsSpan(0, _used).CopyTo(larger);
        if (_bytes.Length > 0)
            ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }

    private readonly record struct Slot(StreamHandle Stream, long Version, DateTimeOffset Time, EventKind Kind, int Offset, int Size, object? Note);
}
