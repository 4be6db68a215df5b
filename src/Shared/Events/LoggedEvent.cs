namespace Maplog.Events;

/// <summary>One event as the log holds it.</summary>
/// <param name="Version">Its place in the stream.</param>
/// <param name="Time">When it happened: kernel time turned into UTC, never earlier than the version before it.</param>
/// <param name="Kind">What it says.</param>
/// <param name="Data">A change: its <see cref="ChangePayload"/>. Any other: its JSON in UTF-8. Valid until the next event is read.</param>
public readonly record struct LoggedEvent(StreamVersion Version, DateTimeOffset Time, EventKind Kind, ReadOnlyMemory<byte> Data);
