using Maplog.Events;

namespace Maplog.Log;

/// <summary>One event of a batch.</summary>
/// <param name="Stream">Its stream.</param>
/// <param name="Version">Its place in the stream.</param>
/// <param name="Time">When it happened, UTC, whole microseconds.</param>
/// <param name="Kind">What it says.</param>
/// <param name="Payload">A change: its <see cref="ChangePayload"/>, valid until the batch is changed. A note: empty.</param>
/// <param name="Note">A note; a change has none.</param>
public readonly record struct BatchedEvent(StreamHandle Stream, StreamVersion Version, DateTimeOffset Time, EventKind Kind, ReadOnlyMemory<byte> Payload, object? Note);
