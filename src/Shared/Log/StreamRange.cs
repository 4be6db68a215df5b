using Maplog.Events;

namespace Maplog.Log;

/// <summary>The versions of one stream in a batch: <paramref name="First"/> to <paramref name="Last"/>, without a hole.</summary>
public readonly record struct StreamRange(StreamHandle Stream, StreamVersion First, StreamVersion Last)
{
    public long Count => Last - First + 1;
}
