using Maplog.Events;

namespace Maplog.Log;

/// <summary>How far a stream's index of keys is; what it lacks is scanned, so it costs time, never an answer.</summary>
public sealed record IndexLag(StreamName Stream, StreamVersion Head, StreamVersion IndexedTo)
{
    public long Behind => Math.Max(0, Head - IndexedTo);
}
