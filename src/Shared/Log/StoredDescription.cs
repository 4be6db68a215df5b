using Maplog.Events;

namespace Maplog.Log;

/// <summary>What an operator says of a map's fields. It counts for every life of the map that fits it.</summary>
/// <param name="KeySize">Bytes of a key of the maps that it describes.</param>
/// <param name="ValueSize">Bytes of a value of them; of one CPU for the per-CPU kinds.</param>
/// <param name="Own">What the log itself says of these maps, guesses not marked; null: nothing.</param>
/// <param name="Fields">The description.</param>
/// <param name="At">When it was given.</param>
/// <param name="By">The role in Postgres that gave it.</param>
public sealed record StoredDescription(int KeySize, int ValueSize, MapFields? Own, MapFields Fields, DateTimeOffset At, string By);
