using Maplog.Events;

namespace Maplog.Cli.TimeTravel;

/// <summary>A change with the previous value.</summary>
/// <param name="Version">Its version.</param>
/// <param name="Time">Its time.</param>
/// <param name="Kind">The kind of change.</param>
/// <param name="Header">Origin and process.</param>
/// <param name="Comm">The name of the process.</param>
/// <param name="Key">Key bytes.</param>
/// <param name="Old">The previous value; null: none.</param>
/// <param name="OldLived">The lifetime of the previous value.</param>
/// <param name="Value">The new value; null: none.</param>
/// <param name="Map">The generation of the map.</param>
internal sealed record KeyChange(
    StreamVersion Version, DateTimeOffset Time, EventKind Kind, ChangeHeader Header, string Comm, byte[] Key, byte[]? Old, TimeSpan? OldLived, byte[]? Value, MapOpened? Map);
