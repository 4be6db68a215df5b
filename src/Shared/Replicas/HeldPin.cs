using Maplog.Kernel;

namespace Maplog.Replicas;

/// <summary>A pin and its expected map. While the pin stays the same, a check costs one system call.</summary>
internal sealed class HeldPin(string path, BpfMap map)
{
    private PinPlace? _known;

    public string Path => path;

    /// <summary>Whether the path exists.</summary>
    public bool IsThere { get; private set; }

    /// <summary>Checks the path.</summary>
    /// <returns>True: it leads to the expected map.</returns>
    public bool Look()
    {
        var place = PinPlace.Of(path);
        IsThere = place is not null;
        if (place is null)
            return false;
        if (place == _known)
            return true;
        if (Found() is not { } found || found.Id != map.Info.Id)
            return false;
        _known = place;
        return true;
    }

    /// <summary>The map at the path; null: the path leads to something that is not a map, or that this process may not open.</summary>
    public MapInfo? Found()
    {
        try
        {
            using var found = BpfMap.OpenPinned(path, MapAccess.Read);
            return found.Info;
        }
        catch (KernelException)
        {
            return null;
        }
    }

    /// <summary>Makes the pin lead to the expected map.</summary>
    /// <exception cref="KernelException">The kernel refused it.</exception>
    public void Restore(bool replace = false)
    {
        Bpffs.EnsureMounted(System.IO.Path.GetDirectoryName(path)!);
        map.Pin(path, replace);
    }
}
