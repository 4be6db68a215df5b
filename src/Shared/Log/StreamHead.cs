using Maplog.Events;

namespace Maplog.Log;

/// <summary>Where a stream ends.</summary>
/// <param name="Stream">Which stream.</param>
/// <param name="Version">The last version; 0 when the stream is empty, and then the rest says nothing.</param>
/// <param name="Time">The last event's time.</param>
/// <param name="Kind">What the last event says.</param>
/// <param name="Epoch">The term it was written in.</param>
/// <param name="Change">The last event's header, when it is a change.</param>
public sealed record StreamHead(StreamName Stream, StreamVersion Version, DateTimeOffset Time, EventKind Kind, Epoch Epoch, ChangeHeader? Change)
{
    internal static StreamHead Empty(StreamName stream) => new(stream, StreamVersion.None, default, EventKind.None, default, null);
}
