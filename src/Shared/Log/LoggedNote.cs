using Maplog.Events;

namespace Maplog.Log;

/// <summary>A note with its place in the stream.</summary>
public sealed record LoggedNote<T>(StreamVersion Version, DateTimeOffset Time, T Note) where T : class;
