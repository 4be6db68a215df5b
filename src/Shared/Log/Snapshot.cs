using Maplog.Events;

namespace Maplog.Log;

/// <summary>A map's whole content at a version of its stream, as the log has it; the entries are read with <see cref="SnapshotStore.ReadAsync"/>.</summary>
/// <param name="Stream">Which stream.</param>
/// <param name="Version">What is in it: all up to here.</param>
/// <param name="Time">Time of the event at that version.</param>
/// <param name="Epoch">Epoch of that event.</param>
/// <param name="IsOpen">Whether the kernel map lived.</param>
/// <param name="Opened">The map's life.</param>
/// <param name="Term">The writer's term; null in a stream that names none.</param>
public sealed record Snapshot(
    StreamName Stream, StreamVersion Version, DateTimeOffset Time, Epoch Epoch, bool IsOpen, LoggedNote<MapOpened> Opened, LoggedNote<EpochStarted>? Term)
{
    /// <summary>Its number in the log; 0 before it is written.</summary>
    public long Number { get; init; }

    public long Entries { get; init; }

    public int Chunks { get; init; }

    /// <summary>SHA-256 over place, shape and the hashes of the chunks, see <see cref="SnapshotHash"/>.</summary>
    public byte[] Hash { get; init; } = [];

    /// <summary>When it was written, by the clock of Postgres.</summary>
    public DateTimeOffset MadeAt { get; init; }

    public MapShape Shape => Opened.Note.Shape;
}
