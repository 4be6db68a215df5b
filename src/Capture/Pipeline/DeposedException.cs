using Maplog.Events;

namespace Maplog.Capture.Pipeline;

/// <summary>Another writer has begun a later epoch: this one's changes are no longer the source's history.</summary>
internal sealed class DeposedException(string source, Epoch own, Epoch other, int unlogged) : Exception(
    $"Source {source} has a writer of epoch {other}, this one's is {own}: it has been deposed and stops. {unlogged} events that it had not logged yet are not appended.");
