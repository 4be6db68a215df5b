using Maplog.Events;
using Maplog.Log;

namespace Maplog.Capture.Terms;

/// <summary>Another writer has begun a later epoch: this one's changes are no longer the source's history.</summary>
internal sealed class DeposedException(string source, Epoch own, WriterRow? other, int unlogged) : Exception(
    $"Node {other?.Node} writes source {source} in epoch {other?.Epoch}; this daemon wrote it in epoch {own} and has been deposed. Events that it had not logged yet are dropped: {unlogged}.")
{
    /// <summary>The node that writes now.</summary>
    public string? Node => other?.Node;
}
