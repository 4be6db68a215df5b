using Maplog.Kernel;

namespace Maplog.Hooking;

/// <summary>The objects that keep a pinned hook in the kernel: the ring's pin, and a link for each program.</summary>
internal sealed class HookPins
{
    private readonly string _ringPin;
    private readonly PinPlace? _ring;
    private readonly (string Name, uint Id)[] _links;

    /// <param name="ringPin">The ring's pin.</param>
    /// <param name="links">The kernel's id of each link, by the hooked function.</param>
    public HookPins(string ringPin, IEnumerable<(string Name, uint Id)> links)
    {
        (_ringPin, _links) = (ringPin, [.. links]);
        _ring = PinPlace.Of(ringPin);
    }

    /// <summary>Why the hook no longer records, or not for this process, a sentence; null: it records.</summary>
    public string? FindFault()
    {
        if (_ring is null || PinPlace.Of(_ringPin) != _ring)
            return $"The pin of the ring, {_ringPin}, was removed or replaced.";
        foreach (var (name, id) in _links)
        {
            if (!BpfLink.Exists(id))
                return $"The program on {name} was detached: its link (id {id}) is gone.";
        }
        return null;
    }
}
