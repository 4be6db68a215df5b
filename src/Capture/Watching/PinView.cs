namespace Maplog.Capture.Watching;

/// <summary>The maps that targets mean, with the pins as they were at one moment.</summary>
/// <param name="targets">The watch set.</param>
/// <param name="pins">The pins that lead to maps, in the order of the targets.</param>
/// <param name="unreadable">The pins that exist and cannot be opened as maps, with the reasons.</param>
internal sealed class PinView(IReadOnlyList<WatchedTarget> targets, IReadOnlyList<PinnedMap> pins, IReadOnlyList<(string Path, string Why)> unreadable)
{
    private readonly HashSet<uint> _pinned = [.. pins.Select(p => p.MapId)];
    private readonly HashSet<string> _paths = [.. pins.Select(p => p.Path)];

    public IReadOnlyList<PinnedMap> Pins => pins;

    public IReadOnlyList<(string Path, string Why)> Unreadable => unreadable;

    public bool LeadsTo(uint mapId) => _pinned.Contains(mapId);

    /// <summary>The target that means the map, and the name of its stream: a pin or an id comes before a name, and then the first.</summary>
    public (WatchedTarget Target, string Stream)? Find(uint mapId, string name)
    {
        if (LeadsTo(mapId))
        {
            var pin = pins.First(p => p.MapId == mapId);
            return (pin.Target, pin.Target.StreamOf(mapId, name, pin.Path));
        }
        var target = targets.FirstOrDefault(t => t.Id == mapId) ?? targets.FirstOrDefault(t => t.Matches(mapId, name));
        return target is null ? null : (target, target.StreamOf(mapId, name, null));
    }

    /// <summary>Whether any target means the map for this stream.</summary>
    public bool Means(uint mapId, string name, string stream) =>
        IsPinnedFor(mapId, name, stream) || targets.Any(t => t.Matches(mapId, name) && t.StreamOf(mapId, name, null) == stream);

    /// <summary>Whether a pin that is watched for this stream leads to the map.</summary>
    public bool IsPinnedFor(uint mapId, string name, string stream) =>
        LeadsTo(mapId) && pins.Any(p => p.MapId == mapId && p.Target.StreamOf(mapId, name, p.Path) == stream);

    /// <summary>Whether a map of this name can have become this stream's by a pin, whatever the pin leads to now.</summary>
    public bool CanHaveMeant(string name, string stream) => targets.Any(t => t.PinOf(name, stream) is not null);

    /// <summary>
    /// The pin by which the stream's map is watched, and that leads to no map now; null: there is none. The map goes on without
    /// its pin, because a program may use it.
    /// </summary>
    public string? LostPinOf(uint mapId, string name, string stream) => Means(mapId, name, stream)
        ? null
        : targets.Select(t => t.PinOf(name, stream)).FirstOrDefault(path => path is not null && !_paths.Contains(path));
}
