using Maplog.Capture.Pipeline;
using Maplog.Kernel;
using Microsoft.Extensions.Logging;

namespace Maplog.Capture.Watching;

/// <summary>
/// Maps that this process may not open, as a security module can have it for single maps. They are tried again at each look, and
/// each is told of once.
/// </summary>
internal sealed class RefusedMaps(ILogger log)
{
    private const int MaxShown = 10;

    private readonly HashSet<uint> _maps = [], _named = [], _unreadable = [];
    private readonly List<uint> _new = [];
    private readonly Dictionary<string, string> _pins = [];

    /// <summary>Whether the hook found the map to have a watched name, and the last attempt to open it was refused.</summary>
    public bool IsNamed(uint id) => _named.Contains(id);

    /// <summary>Takes a map of which only the id is known.</summary>
    /// <param name="id">The kernel's id.</param>
    /// <param name="errno">The kernel's answer.</param>
    public void Add(uint id, int errno)
    {
        if (errno != Errno.Eagain && _maps.Add(id))
            _new.Add(id);
    }

    /// <summary>Takes a map that the hook found to have a watched name.</summary>
    /// <param name="id">The kernel's id.</param>
    /// <param name="name">The map's name; null: the hook gave it in an earlier record.</param>
    /// <param name="errno">The kernel's answer.</param>
    public void Add(uint id, string? name, int errno)
    {
        _maps.Add(id);
        if (_named.Add(id))
            log.MapRefused(name is null ? $"{id}" : $"{name} (id {id})", Errno.Name(errno));
    }

    /// <summary>The map could be opened.</summary>
    public void Remove(uint id)
    {
        _maps.Remove(id);
        _named.Remove(id);
    }

    /// <summary>Takes a pin that cannot be opened as a map.</summary>
    public void Add(WatchedTarget target, string reason)
    {
        if (_pins.GetValueOrDefault(target.Text) == reason)
            return;
        _pins[target.Text] = reason;
        log.PinRefused(target.Text, reason);
    }

    /// <summary>Ends a look: tells of the maps that were refused for the first time, and forgets those that are gone.</summary>
    /// <param name="alive">All maps of the kernel.</param>
    /// <param name="watched">The watched maps.</param>
    public void EndLook(HashSet<uint> alive, IReadOnlyCollection<CapturedMap> watched)
    {
        if (_new.Count > 0)
            log.MapsRefused(_new.Count == 1 ? "1 map" : $"{_new.Count} maps", string.Join(", ", _new.Take(MaxShown)) + (_new.Count > MaxShown ? ", …" : ""));
        _new.Clear();
        _maps.IntersectWith(alive);
        _named.IntersectWith(alive);
        _unreadable.IntersectWith(alive);
        foreach (var map in watched)
        {
            if (map.Inspector.Refusal == 0)
                _unreadable.Remove(map.Id);
            else if (_unreadable.Add(map.Id))
                log.MapUnreadable(map.Stream.Name.ToString(), map.Id, Errno.Name(map.Inspector.Refusal));
        }
    }
}
