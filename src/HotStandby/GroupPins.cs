using System.Globalization;
using Maplog.Kernel;

namespace Maplog.HotStandby;

/// <summary>The folder of a group: its creation, its removal, and its relation to the folders of other groups.</summary>
internal static class GroupPins
{
    private static readonly TimeSpan FirstTimeout = TimeSpan.FromSeconds(1);

    public static void Fill(string folder)
    {
        using var image = StandbyImage.Open();
        image.SetAutoload(StandbyImage.Migrate, false);
        image.SetAutoload(StandbyImage.Select, false);
        image.Load();
        using (var group = image.Map(StandbyImage.Group))
        {
            var settings = new MappedArray<GroupRecord>(group);
            settings[0] = new GroupRecord { Layout = GroupRecord.CurrentLayout, Timeout = Clock.Of(FirstTimeout), Most = ulong.MaxValue };
        }
        image.PinMap(StandbyImage.Group, Path.Combine(folder, "group"));
        image.PinMap(StandbyImage.Members, Path.Combine(folder, "members"));
        image.PinMap(StandbyImage.Counts, Path.Combine(folder, "counts"));
        Directory.CreateDirectory(Path.Combine(folder, "endpoints"));
        for (var slot = 0; slot < GroupRecord.Slots; slot++)
            Directory.CreateDirectory(Path.Combine(folder, "slots", slot.ToString(CultureInfo.InvariantCulture)));
    }

    /// <returns>False if there is no such folder.</returns>
    public static bool Remove(string folder)
    {
        // A group of another version can be removed too. No member joins while this process has the lock.
        using var locked = Seats.Lock(folder);
        if (locked is null)
            return false;
        var (name, slots) = (Path.GetFileName(folder), Path.Combine(folder, "slots"));
        foreach (var slot in Directory.Exists(slots) ? Directory.EnumerateDirectories(slots) : [])
        {
            using var held = FolderLock.TryTake(slot);
            if (held is null)
                throw new StandbyException($"Cannot remove group {name}: a process is in its slot {Path.GetFileName(slot)}. Stop its members first; 'maplog standby list {name}' names them.");
        }
        PinnedFolder.Remove(folder);
        return true;
    }

    /// <summary>
    /// Another group under the same root and in the same network with members that serve at an address; null if there is none.
    /// </summary>
    public static string? OtherAt(StandbyGroup group, string endpoint)
    {
        var root = Path.GetDirectoryName(group.Folder)!;
        return StandbyGroup.Names(root).FirstOrDefault(name => name != group.Name && Serves(Path.Combine(root, name), endpoint, group.Settings.Network));
    }

    private static bool Serves(string folder, string endpoint, ulong network)
    {
        var pin = Path.Combine(folder, "endpoints", endpoint, "sockets");
        if (!File.Exists(pin))
            return false;
        try
        {
            using var group = StandbyGroup.Open(folder);
            if (group.Settings.Network != network)
                return false;
        }
        catch (StandbyException)
        {
            // A group of another version, with sockets pinned like ours.
        }
        try
        {
            using var sockets = BpfMap.OpenPinned(pin);
            return Enumerable.Range(0, GroupRecord.Slots).Any(slot => SharedPort.Cookie(sockets, slot) != 0);
        }
        catch (KernelException e) when (e.Errno == Errno.Enoent)
        {
            return false; // removed at this moment
        }
    }
}
