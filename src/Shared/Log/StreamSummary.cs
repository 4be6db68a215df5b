using Maplog.Events;

namespace Maplog.Log;

/// <summary>A stream of the log.</summary>
/// <param name="Head">Where it ends.</param>
/// <param name="Opened">The map that it records now, or recorded last; null for a stream without one yet.</param>
public sealed record StreamSummary(StreamHead Head, MapOpened? Opened)
{
    public StreamName Stream => Head.Stream;
}
