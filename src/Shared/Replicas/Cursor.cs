using Maplog.Events;

namespace Maplog.Replicas;

/// <summary>How far a replica is: version and epoch of the last event applied. (0, 0): nothing yet.</summary>
public readonly record struct Cursor(Epoch Epoch, StreamVersion Version)
{
    public override string ToString() => $"version {Version} of epoch {Epoch}";
}
