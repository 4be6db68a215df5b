using Maplog.Kernel;

namespace Maplog.Capture.Watching;

/// <summary>Follows the pins of the watch set. While a pin stays the same, a look costs one system call and opens nothing.</summary>
/// <param name="targets">The watch set.</param>
internal sealed class WatchedPins(IReadOnlyList<WatchedTarget> targets)
{
    private Dictionary<string, Found> _known = [];

    /// <summary>The maps that the targets mean now.</summary>
    /// <param name="refused">Takes each pin that exists and cannot be opened as a map, with the reason; not the pins of a glob, which may be programs.</param>
    public PinView Look(Action<WatchedTarget, string>? refused = null)
    {
        var known = new Dictionary<string, Found>(_known.Count);
        var pins = new List<PinnedMap>();
        var unreadable = new List<(string Path, string Why)>();
        foreach (var target in targets)
        {
            foreach (var path in target.Pins())
            {
                if (PinPlace.Of(path) is not { } place)
                    continue;
                // What could not be opened may be opened later: a security module can be told otherwise.
                var found = _known.TryGetValue(path, out var before) && before.Place == place && (before.MapId is not null || target.IsPrefix) ? before : Open(path, place);
                known[path] = found;
                if (found.MapId is { } mapId)
                    pins.Add(new PinnedMap(target, path, mapId));
                if (found.Why is not { } why || target.IsPrefix)
                    continue;
                unreadable.Add((path, why));
                refused?.Invoke(target, why);
            }
        }
        _known = known;
        return new PinView(targets, pins, unreadable);
    }

    private static Found Open(string path, PinPlace place)
    {
        try
        {
            using var pinned = BpfMap.OpenPinned(path, MapAccess.Read);
            return new Found(place, pinned.Info.Id, null);
        }
        catch (KernelException e)
        {
            // ENOENT: it is replaced at this moment.
            return new Found(place, null, e.Errno == Errno.Enoent ? null : e.Message);
        }
    }

    private sealed record Found(PinPlace Place, uint? MapId, string? Why);
}
