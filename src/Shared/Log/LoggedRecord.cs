using Maplog.Events;

namespace Maplog.Log;

/// <summary>A change that came from a ring: where it is in the stream, and which record it was.</summary>
public readonly record struct LoggedRecord(StreamVersion Version, ChangeHeader Header);
