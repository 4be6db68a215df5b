using Maplog.Capture.Observing;
using Maplog.Events;
using Maplog.Log;

namespace Maplog.Capture.Pipeline;

/// <summary>A stream at its writer: where it ends, counting what is not committed yet.</summary>
internal sealed class CapturedStream(StreamName name)
{
    private DateTimeOffset _lastTime;

    public StreamHandle Handle { get; } = new(name);

    public StreamName Name => Handle.Name;

    public StreamVersion Head { get; private set; }

    /// <summary>The map that is open in it, if one is.</summary>
    public CapturedMap? Map { get; set; }

    /// <summary>
    /// Kernel time of the last gap, or of the term's beginning: the next event of an entry that has not changed since carries its whole value.
    /// </summary>
    public long WholeBefore { get; set; }

    /// <summary>What is counted of it; set when its term begins.</summary>
    public StreamCounters Counters { get; set; } = new(name.ToString());

    /// <summary>The hash of what was written since the last seal.</summary>
    public SealChain Seals { get; private set; } = new();

    /// <summary>Records up to this ring position and place in the record were logged by an earlier term: not logged again. -1: none.</summary>
    public long LoggedPosition { get; private set; } = -1;

    public uint LoggedIndex { get; private set; }

    /// <param name="head">The last version logged.</param>
    /// <param name="time">Its time.</param>
    /// <param name="seals">The chain of seals, up to the head.</param>
    public void Resume(StreamVersion head, DateTimeOffset time, SealChain seals)
    {
        Head = head;
        _lastTime = time;
        Seals.Dispose();
        Seals = seals;
    }

    /// <summary>Kernel time of the last record that an earlier term logged from this ring; 0: unknown.</summary>
    public long LoggedUntil { get; private set; }

    public void SkipUpTo(long position, uint index, long kernelTime) => (LoggedPosition, LoggedIndex, LoggedUntil) = (position, index, kernelTime);

    public bool IsLogged(long position, uint index) =>
        position < LoggedPosition || position == LoggedPosition && index <= LoggedIndex;

    public StreamVersion TakeVersion() => Head = Head.Next;

    /// <summary>The time to store: never earlier than the version before, whatever the clock does.</summary>
    public DateTimeOffset TimeOf(DateTimeOffset time) => _lastTime = time > _lastTime ? time : _lastTime;
}
