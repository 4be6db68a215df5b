using Maplog.Events;

namespace Maplog.Log;

/// <summary>A stream with its key, which is made once. Immutable, so that batches on several threads can share it.</summary>
public sealed class StreamHandle(StreamName name)
{
    public StreamName Name { get; } = name;

    /// <summary>Marten's stream key.</summary>
    public string Key { get; } = name.ToString();
}
