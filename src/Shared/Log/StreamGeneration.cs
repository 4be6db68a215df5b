using Maplog.Events;

namespace Maplog.Log;

/// <summary>The kernel map that a stream records now, or recorded last.</summary>
/// <param name="Opened">The version that opened it: what came before does not count for its content.</param>
/// <param name="Begun">The version since which it is this very kernel map: it may have moved.</param>
/// <param name="Map">What it is, and where.</param>
public sealed record StreamGeneration(StreamVersion Opened, StreamVersion Begun, MapOpened Map);
