using Maplog.Events;

namespace Maplog.Log;

/// <summary>
/// A place in a stream was filled already, and nothing of the batch is in the log. Either an earlier try of the same batch
/// was committed and its answer lost, or there is another writer: read the source's greatest epoch and the stream's head.
/// </summary>
public sealed class VersionTakenException : LogException
{
    public VersionTakenException(StreamName stream, StreamVersion version, StreamVersion head, Exception inner)
        : base(head < version
            ? $"Appending to {stream} from version {version} failed: another writer appended to source {stream.Source} at the same time. Nothing of the batch was logged."
            : $"Appending to {stream} from version {version} failed: its head is {head} already. Nothing of the batch was logged.", inner)
    {
        Stream = stream;
        Version = version;
        Head = head;
    }

    public StreamName Stream { get; }

    /// <summary>The batch's first version in this stream.</summary>
    public StreamVersion Version { get; }

    /// <summary>The stream's head. Below <see cref="Version"/>: the collision was over the source's sequence, in another stream.</summary>
    public StreamVersion Head { get; }
}
