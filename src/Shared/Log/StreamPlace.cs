using Maplog.Events;

namespace Maplog.Log;

/// <summary>A place in a stream, and when the event there happened.</summary>
public sealed record StreamPlace(StreamVersion Version, DateTimeOffset Time);
