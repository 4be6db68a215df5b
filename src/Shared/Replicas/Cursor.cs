using Maplog.Events;

namespace Maplog.Replicas;

/// <summary>The position of a replica: version and epoch of the last applied event. (0, 0): none yet.</summary>
public readonly record struct Cursor(Epoch Epoch, StreamVersion Version)
{
    public override string ToString() => $"version {Version} of epoch {Epoch}";
}
