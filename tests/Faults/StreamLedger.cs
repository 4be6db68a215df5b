using Maplog.Events;
using Maplog.Folding;
using Maplog.Log;

namespace Maplog.Tests.Faults;

/// <summary>A stream as the log has it, read on and on: no version may be missing, and no record logged twice.</summary>
internal sealed class StreamLedger(LogReader log, StreamName stream)
{
    private uint _ring;
    private (long Position, uint Index) _last = (-1, 0);

    public StreamFold Fold { get; } = new(stream);

    public long Events => Fold.Version.Value;

    /// <summary>Changes that a hook recorded.</summary>
    public long Recorded { get; private set; }

    /// <summary>Changes that were found by reading the map.</summary>
    public long Corrections { get; private set; }

    public List<GapFound> Gaps { get; } = [];

    public async Task ReadOnAsync()
    {
        await foreach (var page in log.ReadAsync(stream, Fold.Version))
            foreach (var logged in page)
                Take(logged);
    }

    private void Take(in LoggedEvent logged)
    {
        Assert.True(Fold.Apply(logged), $"{stream}: version {logged.Version} came twice.");
        switch (logged.Kind)
        {
            case EventKind.EpochStarted when NoteCodec.Read<EpochStarted>(logged.Data.Span) is var term && term.RingId != _ring:
                (_ring, _last) = (term.RingId, (-1, 0));
                break;
            // What was recorded of a map that waited for its predecessor's end is older than that end.
            case EventKind.MapOpened:
                _last = (-1, 0);
                break;
            case EventKind.GapFound:
                Gaps.Add(NoteCodec.Read<GapFound>(logged.Data.Span));
                break;
            case { } kind when kind.IsChange():
                TakeChange(logged);
                break;
            default:
                break;
        }
    }

    private void TakeChange(in LoggedEvent logged)
    {
        var header = ChangePayload.Read(logged.Data.Span).Header;
        if (header.Origin is Origin.Scan or Origin.ReadBack or Origin.InPlace)
        {
            Corrections++;
            return;
        }
        Recorded++;
        var place = (header.RingPosition, header.RecordIndex);
        Assert.True(place.CompareTo(_last) > 0, $"{stream}: version {logged.Version} is the record at {place} of ring {_ring}, which came after that at {_last}: it was logged before.");
        _last = place;
    }
}
