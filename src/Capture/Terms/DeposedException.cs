using Maplog.Events;
using Maplog.Log;

namespace Maplog.Capture.Terms;

/// <summary>Another writer has begun a later epoch: this one's changes are no longer the source's history.</summary>
internal sealed class DeposedException(string source, Epoch own, WriterRow? other, int unlogged) : Exception(
    $"Source {source} is written by node {other?.Node} in epoch {other?.Epoch}, this was its writer in epoch {own}: it has been deposed. {unlogged} events that it had not logged yet are not appended.")
{
    /// <summary>The node that writes now.</summary>
    public string? Node => other?.Node;
}
