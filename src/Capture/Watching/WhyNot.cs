using Maplog.Kernel;
using Maplog.Replicas;

namespace Maplog.Capture.Watching;

/// <summary>Why a map that a target means is not logged.</summary>
internal static class WhyNot
{
    /// <returns>A sentence; null: it can be logged.</returns>
    public static string? Of(MapInfo map, WatchedTarget target, string stream, IReadOnlyDictionary<uint, ulong> replicas) =>
        OwnMaps.Contains(map) ? "it is one of maplog's own maps."
        : IsMadeFromALog(map.Id, target, replicas) ? "it was made from a log, as a replica or by 'maplog replay'."
        : UnloggableMaps.WhyNot(map, target, stream);

    /// <summary>
    /// Whether a replicator keeps the map, or a command filled it from a log. Both have the names of their sources. A copy of a
    /// command is logged where its pin or its id is watched.
    /// </summary>
    public static bool IsMadeFromALog(uint mapId, WatchedTarget target, IReadOnlyDictionary<uint, ulong> replicas) =>
        replicas.TryGetValue(mapId, out var what) && (what != WriterRegistry.Copy || target.Name is not null);
}
