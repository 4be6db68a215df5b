using System.Buffers;
using Maplog.Capture.Pipeline;
using Maplog.Hooking;
using Maplog.Kernel;

namespace Maplog.Capture.Watching;

/// <summary>
/// A map that came under a watched name while an older one of that name still lives: the next generation of the stream. Its
/// records are kept here, in order, until the older one is gone.
/// </summary>
/// <param name="met">The map.</param>
/// <param name="hasWaited">Whether it waited in an earlier daemon too, and its records from then are lost.</param>
/// <param name="room">Where there is room for its records.</param>
internal sealed class WaitingMap(MetMap met, bool hasWaited, WaitingRoom room)
{
    private ulong? _heldFrom;
    private readonly List<(ulong Position, int Start, int Length)> _records = [];
    private ArrayBufferWriter<byte> _bytes = new();

    public MetMap Met => met;

    public MapInfo Info => met.Info;

    public bool HasWaited => hasWaited;

    /// <summary>Changes recorded.</summary>
    public long Changes { get; private set; }

    /// <summary>Whether they found no room: then none is kept, for half a history would be read as a whole one.</summary>
    public bool IsOverfull { get; private set; }

    /// <summary>Where the ring holds its first record: from there on the ring keeps everything, for the next daemon.</summary>
    /// <param name="upTo">What else could be released.</param>
    /// <param name="most">Bytes of the ring that may be held; beyond that its records live with this daemon alone.</param>
    public ulong HoldBack(ulong upTo, ulong most) => _heldFrom is { } from && from < upTo && upTo - from <= most ? from : upTo;

    /// <summary>Takes a record of it.</summary>
    /// <param name="record">The record.</param>
    /// <param name="isSeen">It only says that there is such a map: its first record.</param>
    public void Take(in RingRecord record, bool isSeen)
    {
        _heldFrom ??= record.Position;
        if (!isSeen)
            Keep(record);
    }

    /// <summary>Hands on the records.</summary>
    public void GiveTo(CapturedMap map)
    {
        foreach (var (position, start, length) in _records)
            map.Take(new RingRecord(position, _bytes.WrittenSpan.Slice(start, length)));
    }

    /// <summary>Gives its room back; it waits no more.</summary>
    public void Leave()
    {
        room.Give(_bytes.WrittenCount);
        _records.Clear();
        _bytes = new ArrayBufferWriter<byte>();
    }

    private void Keep(in RingRecord record)
    {
        Changes += RecordHeader.Of(record.Data).Count;
        if (IsOverfull)
            return;
        if (!room.TryTake(record.Data.Length))
        {
            IsOverfull = true;
            Leave();
            return;
        }
        _records.Add((record.Position, _bytes.WrittenCount, record.Data.Length));
        _bytes.Write(record.Data);
    }
}
