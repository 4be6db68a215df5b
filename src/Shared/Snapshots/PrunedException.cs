using Maplog.Events;
using Maplog.Log;

namespace Maplog.Snapshots;

/// <summary>A moment was asked for whose history was pruned.</summary>
public sealed class PrunedException(StreamName stream, StreamPlace first, string when, LogStore store)
    : LogException($"The history of {stream} in {store.Place} was pruned up to version {first.Version.Value - 1}, so its content {when} is unknown: the stream begins at {first.Time.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'}, version {first.Version}. Ask for that time or a later one.")
{
    public StreamPlace First { get; } = first;
}
