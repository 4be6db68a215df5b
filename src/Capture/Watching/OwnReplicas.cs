using Maplog.Events;
using Maplog.Kernel;
using Maplog.Replicas;

namespace Maplog.Capture.Watching;

/// <summary>The watched maps of this node that are kept as replicas: what it would write from, if it were promoted.</summary>
internal sealed class OwnReplicas(IReadOnlyList<WatchedTarget> targets, HostRegistries replicators)
{
    private readonly WatchedPins _watched = new(targets);

    /// <summary>The replica of a stream, of that shape; null if there is none.</summary>
    /// <exception cref="InvalidDataException">There are several.</exception>
    public MapInfo? Find(StreamName stream, MapShape shape)
    {
        var wanted = CursorRecord.HashOf(stream);
        var pins = _watched.Look();
        var ids = replicators.Replicas().Where(r => r.Value == wanted).Select(r => r.Key).ToHashSet();
        var found = BpfMap.All().Where(m => ids.Contains(m.Id) && ReplicaShape.Fits(m, shape) && pins.Means(m.Id, m.Name, stream.Map)).ToList();
        return found.Count < 2 ? found.FirstOrDefault() : throw new InvalidDataException(
            $"{found.Count} maps of this node are replicas of {stream} and are watched for it (ids {string.Join(", ", found.Select(m => m.Id))}): watch the map that this node uses by its pin, --watch pin:PATH={stream.Map}.");
    }

    /// <summary>How far it is.</summary>
    public static StreamVersion VersionOf(MapInfo replica, StreamName stream) =>
        ReplicaMap.ReadCursors().Where(c => c.MapId == replica.Id && c.StreamHash == CursorRecord.HashOf(stream)).Select(c => c.Cursor.Version).FirstOrDefault();
}
