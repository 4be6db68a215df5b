using Maplog.Kernel;

namespace Maplog.Replicas;

/// <summary>
/// The maps that maplog creates for itself: for the hook, the registry, and cursors. A capture that logged one of them would log its own
/// commits, each of which changes the map again.
/// </summary>
public static class OwnMaps
{
    private static readonly HashSet<string> Names =
    [
        "maplog_ring", "maplog_verdicts", "maplog_beyond", "maplog_names", "maplog_losses", "maplog_config", "maplog_frames", "maplog_accounts", "maplog_heads", "maplog_owner",
        "maplog_writers", ReplicaTable.Name, "maplog_cursor", "maplog_may", "maplog.rodata", "maplog.bss", "maplog.data",
        "walk_seen", "walk_found", "walk_places", "walk_trial", "walk.rodata", "walk.bss",
    ];

    /// <summary>Whether a map has the name of one of these maps.</summary>
    public static bool Contains(MapInfo map) => Names.Contains(map.Name);
}
