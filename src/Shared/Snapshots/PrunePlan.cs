using Maplog.Events;
using Maplog.Log;

namespace Maplog.Snapshots;

/// <summary>What of a stream is to go.</summary>
/// <param name="Stream">Which stream.</param>
/// <param name="First">Its first version now.</param>
/// <param name="Seal">The seal with which it is to begin; all before it goes.</param>
public sealed record PrunePlan(StreamName Stream, StreamPlace First, LoggedNote<Sealed> Seal)
{
    /// <summary>The last version that goes.</summary>
    public StreamVersion UpTo => Seal.Version + -1;

    public long Count => Seal.Version - First.Version;
}
