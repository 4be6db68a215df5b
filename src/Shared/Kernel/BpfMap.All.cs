namespace Maplog.Kernel;

public sealed unsafe partial class BpfMap
{
    /// <summary>Ids of all maps of this kernel, ascending (CAP_SYS_ADMIN). Maps come and go while they are counted.</summary>
    public static IEnumerable<uint> Ids()
    {
        for (uint id = 0; NextId(ref id);)
            yield return id;
    }

    /// <summary>What each map of this kernel is. A map that goes between its counting and its opening is left out.</summary>
    public static IEnumerable<MapInfo> All()
    {
        foreach (uint id in Ids())
        {
            using BpfMap? map = TryOpenById(id, MapAccess.Read, out int errno);
            if (map is not null)
                yield return map.Info;
            else if (errno is not (Errno.Enoent or Errno.Eagain))
                throw new KernelException($"Cannot open the map with id {id}: {(errno == Errno.Eperm ? Privileges.Explain("CAP_SYS_ADMIN") : "the kernel refused it")}.", errno);
        }
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
