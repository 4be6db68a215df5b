namespace Maplog.Kernel;

public sealed unsafe partial class BpfMap
{
    /// <summary>Ids of all maps of this kernel, ascending (CAP_SYS_ADMIN). Maps may be created and closed during the walk.</summary>
    public static IEnumerable<uint> Ids()
    {
        for (uint id = 0; NextId(ref id);)
            yield return id;
    }

    /// <summary>Whether the kernel has a map with this id (CAP_SYS_ADMIN). The map is not opened, so no refusal to open it counts.</summary>
    public static bool Exists(uint id)
    {
        if (id == 0)
            return false;
        uint found = id - 1;
        return NextId(ref found) && found == id;
    }

    /// <summary>
    /// The description of each map of this kernel, except maps that end during the walk and maps that this process may not open, for
    /// example because of a security module: <see cref="Unopenable"/>.
    /// </summary>
    public static IEnumerable<MapInfo> All()
    {
        foreach (uint id in Ids())
        {
            if (Describe(id, out int errno) is { } info)
                yield return info;
            else if (Errno.IsShortage(errno))
                throw new KernelException($"Cannot open the map with id {id}: {Errno.Shortage(errno)}.", errno);
        }
    }

    /// <summary>The maps that exist and that this process may not open, with the errno of each.</summary>
    public static IEnumerable<(uint Id, int Errno)> Unopenable()
    {
        foreach (uint id in Ids())
        {
            if (Describe(id, out int errno) is null && errno != Errno.Enoent)
                yield return (id, errno);
        }
    }

    /// <summary>The description of the map with this id.</summary>
    /// <param name="id">The kernel's id.</param>
    /// <param name="errno">0; ENOENT: there is no such map; otherwise why it cannot be opened.</param>
    public static MapInfo? Describe(uint id, out int errno)
    {
        using BpfMap? map = TryOpenById(id, MapAccess.Read, out errno);
        return map?.Info;
    }

    /// <summary>Ids of the maps with exactly this name, ascending; names are not unique. Empty if there is none.</summary>
    public static IReadOnlyList<uint> FindByName(string name) => [.. All().Where(map => map.Name == name).Select(map => map.Id)];

    private static bool NextId(ref uint id)
    {
        uint next;
        int errno = -Native.MapNextId(id, &next);
        if (errno == 0)
            id = next;
        return errno switch
        {
            0 => true,
            Errno.Enoent => false,
            _ => throw new KernelException($"Cannot list the maps of this kernel: {(errno == Errno.Eperm ? Privileges.Explain("CAP_SYS_ADMIN") : "the kernel refused it")}.", errno),
        };
    }
}
