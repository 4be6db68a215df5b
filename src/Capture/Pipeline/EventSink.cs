using Maplog.Capture.Observing;
using Maplog.Events;
using Maplog.Log;

namespace Maplog.Capture.Pipeline;

/// <summary>Numbers, dates and writes events into the batch that is filled at the moment.</summary>
internal sealed class EventSink(KernelClock clock, Epoch epoch, CaptureMetrics metrics)
{
    private readonly HashSet<CapturedStream> _unsealed = [];

    /// <summary>The batch being filled; the pipeline swaps it when a commit begins.</summary>
    public EventBatch Batch { get; set; } = new();

    public Epoch Epoch { get; } = epoch;

    /// <param name="stream">Which stream.</param>
    /// <param name="kind">What happened.</param>
    /// <param name="header">Who and when.</param>
    /// <param name="comm">The process's name.</param>
    /// <param name="key">The key.</param>
    /// <param name="value">The whole value; empty: none.</param>
    /// <param name="before">Of a per-CPU map the whole value before, if the event may carry the parts alone in which they differ; else empty.</param>
    /// <param name="partSize">Bytes of one CPU's value, rounded up to 8.</param>
    public void Change(
        CapturedStream stream, EventKind kind, in ChangeHeader header, ReadOnlySpan<byte> comm, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value,
        ReadOnlySpan<byte> before = default, int partSize = 0)
    {
        var parts = before.IsEmpty ? null : CpuParts.SizeOf(before, value, partSize);
        var time = stream.TimeOf(clock.ToUtc(header.KernelTime));
        var payload = Batch.AddChange(stream.Handle, stream.TakeVersion(), time, kind, ChangePayload.Size(comm.Length, key.Length, parts ?? value.Length));
        stream.Counters.Changed(header.Origin);
        if (parts is null)
            ChangePayload.Write(payload, header, comm, key, value);
        else
            ChangePayload.WriteParts(payload, header, comm, key, before, value, partSize);
        if (stream.Seals.Changes == 0)
            _unsealed.Add(stream);
        stream.Seals.Take(stream.Head, time, kind, payload);
    }

    public DateTimeOffset Now => clock.ToUtc(KernelClock.Now);

    /// <param name="stream">Which stream.</param>
    /// <param name="note">What is to be said.</param>
    /// <param name="kernelTime">When it happened: before the records that are still to come.</param>
    public void Note(CapturedStream stream, object note, long kernelTime)
    {
        if (note is EpochStarted)
            stream.Counters = metrics.Of(stream.Name);
        else if (note is GapFound gap)
            stream.Counters.Found(gap);
        if (note is EpochStarted or GapFound)
            stream.WholeBefore = Math.Max(stream.WholeBefore, kernelTime);
        var time = stream.TimeOf(clock.ToUtc(kernelTime));
        Batch.AddNote(stream.Handle, stream.TakeVersion(), time, note);
        // A stream taken up from an earlier term may have changes that nobody sealed.
        if (stream.Seals.Changes > 0)
            _unsealed.Add(stream);
        stream.Seals.Take(stream.Head, time, NoteCodec.KindOf(note), NoteCodec.Write(note));
    }

    /// <summary>Closes the range of one stream.</summary>
    public void Seal(CapturedStream stream, long kernelTime)
    {
        Note(stream, stream.Seals.Seal(Epoch), kernelTime);
        _unsealed.Remove(stream);
    }

    /// <summary>Closes the range of every stream that has changes since its last seal.</summary>
    /// <param name="kernelTime">Now.</param>
    public void Seal(long kernelTime)
    {
        foreach (var stream in _unsealed)
        {
            var seal = stream.Seals.Seal(Epoch);
            if (stream.Map is { } map)
            {
                var content = map.Content.Digest();
                seal = seal with { Entries = content.Entries, Content = content.ToBytes() };
            }
            Note(stream, seal, kernelTime);
        }
        _unsealed.Clear();
    }
}
