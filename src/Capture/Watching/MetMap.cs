using Maplog.Kernel;

namespace Maplog.Capture.Watching;

/// <summary>A map of a stream, as it was when this daemon met it.</summary>
/// <param name="Info">Its description.</param>
/// <param name="Name">The stream's name, without the source.</param>
/// <param name="Slot">Where the hook counts the changes that it could not record.</param>
/// <param name="Since">Kernel time of the first record of it, or of the look that found it.</param>
/// <param name="Btf">Its BTF, read at that moment because it goes with the map; null: it has none, or it was gone already.</param>
internal sealed record MetMap(MapInfo Info, string Name, int Slot, long Since, byte[]? Btf);
