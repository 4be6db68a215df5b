using Maplog.Events;

namespace Maplog.Log;

/// <summary>A stream as a batch wants it: its key made once, its place in the batch at hand. Not for several threads at a time.</summary>
public sealed class StreamHandle(StreamName name)
{
    public StreamName Name { get; } = name;

    /// <summary>Marten's stream key.</summary>
    public string Key { get; } = name.ToString();

    internal EventBatch? Batch { get; set; }

    internal int Slot { get; set; }
}
