using System.Buffers;
using Maplog.Capture.Pipeline;
using Maplog.Hooking;
using Maplog.Kernel;

namespace Maplog.Capture.Watching;

/// <summary>
/// A map that came under a watched name while an older one of that name still lives: the next generation of the stream. What is
/// recorded of it is kept here, in order, until the older one is gone.
/// </summary>
/// <param name="info">The map.</param>
/// <param name="name">The stream that it will go on with.</param>
/// <param name="slot">Where the hook counts what it could not record of it.</param>
/// <param name="since">Kernel time of the first that was heard of it.</param>
/// <param name="hasWaited">Whether it waited in an earlier daemon too, and what was recorded of it then is lost.</param>
internal sealed class WaitingMap(MapInfo info, string name, int slot, long since, bool hasWaited)
{
    /// <summary>Bytes of records kept; a generation that waits for longer than that is read from the map itself.</summary>
    private const int Most = 32 << 20;

    private ulong? _heldFrom;
    private readonly List<(ulong Position, int Start, int Length)> _records = [];
    private readonly ArrayBufferWriter<byte> _bytes = new();

    public MapInfo Info => info;

    public string Name => name;

    public int Slot => slot;

    public long Since => since;

    public bool HasWaited => hasWaited;

    /// <summary>Changes recorded.</summary>
    public long Changes { get; private set; }

    /// <summary>Whether they found no room: then none is kept, for half a history would be read as a whole one.</summary>
    public bool IsOverfull { get; private set; }

    /// <summary>Where the ring holds the first that was recorded of it: from there on it stays there, for the next daemon.</summary>
    /// <param name="upTo">What else could be released.</param>
    /// <param name="most">Bytes of the ring that may be held; beyond that its records live with this daemon alone.</param>
    public ulong HoldBack(ulong upTo, ulong most) => _heldFrom is { } from && from < upTo && upTo - from <= most ? from : upTo;

    /// <summary>Takes a record of it.</summary>
    /// <param name="record">The record.</param>
    /// <param name="isSeen">It only says that there is such a map: the first that is recorded of it.</param>
    public void Take(in RingRecord record, bool isSeen)
    {
        _heldFrom ??= record.Position;
        if (!isSeen)
            Keep(record);
    }

    /// <summary>Hands on what was kept.</summary>
    public void GiveTo(CapturedMap map)
    {
        foreach (var (position, start, length) in _records)
            map.Take(new RingRecord(position, _bytes.WrittenSpan.Slice(start, length)));
    }

    private void Keep(in RingRecord record)
    {
        Changes += RecordHeader.Of(record.Data).Count;
        IsOverfull |= _bytes.WrittenCount + record.Data.Length > Most;
        if (IsOverfull)
        {
            _records.Clear();
            _bytes.Clear();
            return;
        }
        _records.Add((record.Position, _bytes.WrittenCount, record.Data.Length));
        _bytes.Write(record.Data);
    }
}
