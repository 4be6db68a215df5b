using System.Globalization;
using Maplog.Kernel;

namespace Maplog.HotStandby;

/// <summary>
/// A group in its pins: settings, members, counts. A setting applies from the next connection on. The pins stay when the last member
/// leaves, until <see cref="Remove"/>.
/// </summary>
public sealed partial class StandbyGroup : IDisposable
{
    /// <summary>The default folder of groups.</summary>
    public const string DefaultRoot = "/sys/fs/bpf/maplog_standby";

    /// <summary>The maximum of members that a group can have at once, including draining members.</summary>
    public const int MostMembers = GroupRecord.Slots;

    /// <summary>The greatest weight.</summary>
    public const int MostWeight = 1_000_000;

    private readonly BpfMap _group, _members, _counts;
    private readonly MappedArray<GroupRecord> _settings;
    private readonly MappedArray<MemberRecord> _records;

    private StandbyGroup(string folder)
    {
        Folder = folder;
        _group = BpfMap.OpenPinned(Path.Combine(folder, "group"));
        try
        {
            _members = BpfMap.OpenPinned(Path.Combine(folder, "members"));
            _counts = BpfMap.OpenPinned(Path.Combine(folder, "counts"));
            _settings = new MappedArray<GroupRecord>(_group);
            if (Settings.Layout != GroupRecord.CurrentLayout)
                throw OtherVersion(folder, $"its layout is {Settings.Layout}, this version uses {GroupRecord.CurrentLayout}");
            _records = new MappedArray<MemberRecord>(_members);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The folder of its pins.</summary>
    public string Folder { get; }

    public string Name => Path.GetFileName(Folder);

    /// <summary>How the group chooses.</summary>
    public StandbyPolicy Policy => (StandbyPolicy)Settings.Policy;

    /// <summary>When a better rank takes over.</summary>
    public Failback Failback => (Failback)Settings.Failback;

    /// <summary>The age at which a heartbeat is stale, for members without their own timeout.</summary>
    public TimeSpan Timeout => TimeSpan.FromTicks((long)(Settings.Timeout / TimeSpan.NanosecondsPerTick));

    /// <summary>Whether a connection is refused when no member is well; otherwise the least bad member gets it.</summary>
    public bool Refuses => Settings.Refuse != 0;

    /// <summary>
    /// Whether the kernel moves the connections that wait at a closing listener to another one, on all ports; from Linux 5.14.
    /// </summary>
    public bool Migrates
    {
        get
        {
            var endpoints = OpenEndpoints();
            try
            {
                return endpoints.TrueForAll(e => e.Migrates);
            }
            finally
            {
                foreach (var endpoint in endpoints)
                    endpoint.Dispose();
            }
        }
    }

    internal string EndpointsFolder => Path.Combine(Folder, "endpoints");

    internal ref GroupRecord Settings => ref _settings[0];

    /// <summary>Opens an existing group; null if it does not exist.</summary>
    /// <exception cref="StandbyException">The group belongs to another version of maplog.</exception>
    public static StandbyGroup? Find(string root, string name)
    {
        if (!StandbyNames.IsName(name))
            throw new StandbyException($"'{name}' is not a group name: {StandbyNames.Rule}.");
        var folder = Path.Combine(root, name);
        try
        {
            return Directory.Exists(folder) ? Open(folder) : null;
        }
        catch (StandbyException) when (!Directory.Exists(folder))
        {
            return null; // removed at this moment
        }
    }

    /// <summary>Names of the groups under a folder of bpffs.</summary>
    public static IReadOnlyList<string> Names(string root) => Directory.Exists(root)
        ? [.. Directory.EnumerateDirectories(root).Select(f => Path.GetFileName(f)).Where(n => StandbyNames.IsName(n) && File.Exists(Path.Combine(root, n, "group"))).Order(StringComparer.Ordinal)]
        : [];

    internal static StandbyGroup Open(string folder)
    {
        try
        {
            return new StandbyGroup(folder);
        }
        catch (KernelException e) when (e.Errno is Errno.Enoent or Errno.Einval)
        {
            throw OtherVersion(folder, e.Message.TrimEnd('.'), e);
        }
    }

    /// <summary>
    /// Opens a group, creates it if it does not exist, and holds the lock on it: meanwhile no process joins or removes it.
    /// </summary>
    internal static (StandbyGroup Group, FolderLock Locked) OpenLocked(string root, string name)
    {
        var folder = Path.Combine(root, name);
        while (true)
        {
            if (!Directory.Exists(folder))
                PinnedFolder.Make(folder, GroupPins.Fill); // whole, however many do so at once
            if (Seats.Lock(folder) is not { } locked)
                continue; // removed in the moment between
            try
            {
                return (Open(folder), locked);
            }
            catch
            {
                locked.Dispose();
                throw;
            }
        }
    }

    /// <summary>Whether a group or a member may have this timeout.</summary>
    public static bool IsTimeout(TimeSpan timeout) => timeout >= TimeSpan.FromMilliseconds(10) && timeout <= TimeSpan.FromMinutes(1);

    /// <summary>The present members of the group, by rank. A slot of a dead process is not a member.</summary>
    /// <exception cref="StandbyException">The group has been removed.</exception>
    public IReadOnlyList<MemberStatus> Members()
    {
        if (!IsPinned())
            throw new StandbyException($"Group {Name} has been removed from {Path.GetDirectoryName(Folder)}.");
        var endpoints = OpenEndpoints();
        try
        {
            var now = Clock.Now();
            var members = new List<MemberStatus>();
            for (var slot = 0; slot < MostMembers; slot++)
            {
                var record = _records[slot];
                if (record.Incarnation == 0)
                    continue;
                var where = endpoints.Where(e => SharedPort.Cookie(e.Sockets, slot) != 0).ToList();
                ulong? oldest = where.Count > 0 ? where.Min(e => Volatile.Read(ref e.Port(slot).Beat)) : null;
                if (where.Count > 0 || IsHeld(slot))
                    members.Add(MemberStatus.Of(slot, record, Settings, now, Counts(slot), [.. where.Select(e => EndpointName.ForPeople(e.Name))], oldest));
            }
            return [.. members.OrderBy(m => m.Rank).ThenBy(m => m.Slot)];
        }
        finally
        {
            foreach (var endpoint in endpoints)
                endpoint.Dispose();
        }
    }

    /// <summary>
    /// Connections that the program left to the kernel's own hash because it found no socket, and connections that it refused.
    /// </summary>
    public (ulong Unchosen, ulong Refused) Nobody()
    {
        var counts = Counts(MostMembers);
        return (counts.Chosen - counts.LastResort, counts.LastResort);
    }

    /// <summary>The counts of a slot, over all CPUs.</summary>
    internal unsafe CountRecord Counts(int slot)
    {
        var values = new CountRecord[PossibleCpus.Count];
        _counts.Lookup(BitConverter.GetBytes(slot), System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()));
        var sum = default(CountRecord);
        foreach (var value in values)
        {
            sum.Chosen += value.Chosen;
            sum.Migrated += value.Migrated;
            sum.LastResort += value.LastResort;
            sum.Pulses += value.Pulses;
        }
        return sum;
    }

    /// <summary>Removes the pins. No process may be in the group.</summary>
    /// <returns>False if there is no such group.</returns>
    public static bool Remove(string root, string name)
    {
        if (!StandbyNames.IsName(name))
            throw new StandbyException($"'{name}' is not a group name: {StandbyNames.Rule}.");
        return GroupPins.Remove(Path.Combine(root, name));
    }

    public void Dispose()
    {
        _group?.Dispose();
        _members?.Dispose();
        _counts?.Dispose();
    }

    internal ref MemberRecord Record(int slot) => ref _records[slot];

    internal string SlotFolder(int slot) => Path.Combine(Folder, "slots", slot.ToString(CultureInfo.InvariantCulture));

    /// <summary>Makes the object use this group's maps.</summary>
    internal void Share(BpfObject image)
    {
        image.ReuseMap(StandbyImage.Group, _group);
        image.ReuseMap(StandbyImage.Members, _members);
        image.ReuseMap(StandbyImage.Counts, _counts);
    }

    internal void Set(StandbyPolicy? policy, Failback? failback, TimeSpan? timeout, bool? refuse)
    {
        if (policy is { } p)
            Settings.Policy = (uint)p;
        if (failback is { } f)
            Settings.Failback = (uint)f;
        if (timeout is { } t)
            Settings.Timeout = Clock.Of(t);
        if (refuse is { } r)
            Settings.Refuse = r ? 1u : 0;
    }

    /// <summary>The counts of a new owner begin at zero.</summary>
    internal void ResetCounts(int slot) =>
        _counts.Update(BitConverter.GetBytes(slot), new byte[_counts.Info.ValueBytes]);

    // Under the lock: if this look took a dead member's slot without it, a joining member could not get the slot.
    private bool IsHeld(int slot)
    {
        using var locked = Seats.TryLock(Folder, TimeSpan.FromMilliseconds(100));
        if (locked is null)
            return true; // somebody joins; it may be this one
        using var held = FolderLock.TryTake(SlotFolder(slot));
        return held is null;
    }

    private static StandbyException OtherVersion(string folder, string why, Exception? inner = null) => new(
        $"The group pinned at {folder} does not belong to this version of maplog: {why}. Stop its members and remove it with 'maplog standby remove {Path.GetFileName(folder)}'.", inner);

    // Not if the group was removed, even if there is a new group with its name.
    private bool IsPinned()
    {
        try
        {
            using var pinned = BpfMap.OpenPinned(Path.Combine(Folder, "group"));
            return pinned.Info.Id == _group.Info.Id;
        }
        catch (KernelException e) when (e.Errno == Errno.Enoent)
        {
            return false;
        }
    }

    private List<StandbyEndpoint> OpenEndpoints()
    {
        var endpoints = new List<StandbyEndpoint>();
        foreach (var folder in Directory.EnumerateDirectories(EndpointsFolder).Where(f => !PinnedFolder.IsUnfinished(f)))
            endpoints.Add(StandbyEndpoint.Open(folder));
        return endpoints;
    }
}
