using Maplog.Events;

namespace Maplog.Cli.TimeTravel;

/// <summary>A change with what was before it.</summary>
/// <param name="Version">Its place.</param>
/// <param name="Time">When.</param>
/// <param name="Kind">What.</param>
/// <param name="Header">Who.</param>
/// <param name="Comm">Who, by name.</param>
/// <param name="Key">Key bytes.</param>
/// <param name="Old">The value before; null: none.</param>
/// <param name="OldLived">How long that value lived.</param>
/// <param name="Value">The value after; null: none.</param>
/// <param name="Map">The life of the map it belongs to.</param>
internal sealed record KeyChange(
    StreamVersion Version, DateTimeOffset Time, EventKind Kind, ChangeHeader Header, string Comm, byte[] Key, byte[]? Old, TimeSpan? OldLived, byte[]? Value, MapOpened? Map);
