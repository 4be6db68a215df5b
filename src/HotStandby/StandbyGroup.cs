using System.Globalization;
using Maplog.Kernel;

namespace Maplog.HotStandby;

/// <summary>
/// A group as its pins hold it: settings, members, counts. What is set here is in force with the next connection.
/// The pins stay when the last member leaves, until <see cref="Remove"/>.
/// </summary>
public sealed class StandbyGroup : IDisposable
{
    /// <summary>The folder of groups unless another is set.</summary>
    public const string DefaultRoot = "/sys/fs/bpf/maplog_standby";

    /// <summary>Members that a group can have at once, those that drain among them.</summary>
    public const int MostMembers = GroupRecord.Slots;

    /// <summary>The greatest weight.</summary>
    public const int MostWeight = 1_000_000;

    private static readonly TimeSpan FirstTimeout = TimeSpan.FromSeconds(1);

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
                throw OtherVersion(folder, $"its layout is {Settings.Layout}, this is for {GroupRecord.CurrentLayout}");
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

    /// <summary>The age at which a heartbeat is stale, of members that have set no other.</summary>
    public TimeSpan Timeout => TimeSpan.FromTicks((long)(Settings.Timeout / TimeSpan.NanosecondsPerTick));

    /// <summary>Whether a connection is refused when no member is well; else the least bad has it.</summary>
    public bool Refuses => Settings.Refuse != 0;

    /// <summary>Whether the kernel gives the connections that wait at a closing listener to another, on all ports; from Linux 5.14.</summary>
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

    /// <summary>Opens a group that is there; null if it is not.</summary>
    /// <exception cref="StandbyException">Another version of maplog made it.</exception>
    public static StandbyGroup? Find(string root, string name)
    {
        if (!StandbyNames.IsName(name))
            throw new StandbyException($"'{name}' is no name of a group: {StandbyNames.Rule}.");
        var folder = Path.Combine(root, name);
        return Directory.Exists(folder) ? Open(folder) : null;
    }

    /// <summary>Names of the groups under a folder of bpffs.</summary>
    public static IReadOnlyList<string> Names(string root) => Directory.Exists(root)
        ? [.. Directory.EnumerateDirectories(root).Select(f => Path.GetFileName(f)).Where(n => StandbyNames.IsName(n) && File.Exists(Path.Combine(root, n, "group"))).Order(StringComparer.Ordinal)]
        : [];

    /// <summary>Opens a group, or makes it: whole, however many do so at once.</summary>
    public static StandbyGroup OpenOrMake(string root, string name)
    {
        var folder = Path.Combine(root, name);
        if (!Directory.Exists(folder))
            PinnedFolder.Make(folder, Fill);
        return Open(folder);
    }

    /// <summary>Whether a timeout is one that a group or a member may have.</summary>
    public static bool IsTimeout(TimeSpan timeout) => timeout >= TimeSpan.FromMilliseconds(10) && timeout <= TimeSpan.FromMinutes(1);

    /// <summary>Sets what an operator says. Null leaves as it is.</summary>
    public void Order(StandbyPolicy? policy = null, Failback? failback = null, TimeSpan? timeout = null, bool? refuse = null)
    {
        if (timeout is { } asked && !IsTimeout(asked))
            throw new StandbyException($"A timeout of {asked.TotalMilliseconds.ToString(CultureInfo.InvariantCulture)} ms for group {Name} is not from 10 ms to a minute.");
        Set(policy, failback, timeout, refuse);
        Settings.Ordered |= (uint)((policy is null ? 0 : GroupOrders.Policy) | (failback is null ? 0 : GroupOrders.Failback)
            | (timeout is null ? 0 : GroupOrders.Timeout) | (refuse is null ? 0 : GroupOrders.Refuse));
    }

    /// <summary>Who is in the group now, by rank. A slot whose process has died is not.</summary>
    public IReadOnlyList<MemberStatus> Members()
    {
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

    /// <summary>Connections that the program left to the kernel's own hash, because it found no socket, and those that it refused.</summary>
    public (ulong Unchosen, ulong Refused) Nobody()
    {
        var counts = Counts(MostMembers);
        return (counts.Chosen - counts.LastResort, counts.LastResort);
    }

    /// <summary>What was counted of a slot, over all CPUs.</summary>
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

    /// <summary>Lets a member take no new connections, or take them again. It ends with the process.</summary>
    public void Drain(string member, bool drain = true) => Require(member).Draining = drain ? 1u : 0;

    /// <summary>Sets a member's rank, until another is set here: its restart does not change it.</summary>
    public void Rank(string member, int rank)
    {
        if (rank < 0)
            throw new StandbyException($"The rank {rank} for member {member} of group {Name} is below 0.");
        ref var record = ref Require(member);
        record.Rank = (uint)rank;
        record.Ordered |= (uint)MemberOrders.Rank;
    }

    /// <summary>Sets a member's weight, until another is set here.</summary>
    public void Weigh(string member, int weight)
    {
        if (weight is < 0 or > MostWeight)
            throw new StandbyException($"The weight {weight} for member {member} of group {Name} is not from 0 to {MostWeight}.");
        ref var record = ref Require(member);
        record.Weight = (uint)weight;
        record.Ordered |= (uint)MemberOrders.Weight;
    }

    /// <summary>Lets a member serve before all others: rank 0, the others that went before it one further back. Held failback passes to it.</summary>
    public void Promote(string member)
    {
        ref var promoted = ref Require(member);
        var before = promoted.Rank;
        foreach (var other in Members())
        {
            if (other.Name != member && other.Rank <= before)
                Rank(other.Name, other.Rank + 1);
        }
        Rank(member, 0);
        Settings.Incumbent = promoted.Incarnation;
    }

    /// <summary>Removes the pins. No process may be in the group.</summary>
    /// <returns>False if there is no such group.</returns>
    public static bool Remove(string root, string name)
    {
        if (!StandbyNames.IsName(name))
            throw new StandbyException($"'{name}' is no name of a group: {StandbyNames.Rule}.");
        // Not through Open: what another version made can be removed too.
        var folder = Path.Combine(root, name);
        var slots = Path.Combine(folder, "slots");
        if (Directory.Exists(slots))
        {
            foreach (var slot in Directory.EnumerateDirectories(slots))
            {
                using var held = FolderLock.TryTake(slot);
                if (held is null)
                    throw new StandbyException($"Cannot remove group {name}: a process is in slot {Path.GetFileName(slot)} of it. Stop its members first; 'maplog standby list {name}' names them.");
            }
        }
        var was = Directory.Exists(folder);
        PinnedFolder.Remove(folder);
        return was;
    }

    public void Dispose()
    {
        _group?.Dispose();
        _members?.Dispose();
        _counts?.Dispose();
    }

    internal ref MemberRecord Record(int slot) => ref _records[slot];

    internal string SlotFolder(int slot) => Path.Combine(Folder, "slots", slot.ToString(CultureInfo.InvariantCulture));

    /// <summary>Lets the object's maps be this group's.</summary>
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

    /// <summary>A new owner's counts begin at nothing.</summary>
    internal void ResetCounts(int slot) =>
        _counts.Update(BitConverter.GetBytes(slot), new byte[_counts.Info.ValueBytes]);

    internal bool IsHeld(int slot)
    {
        using var held = FolderLock.TryTake(SlotFolder(slot));
        return held is null;
    }

    private static StandbyGroup Open(string folder)
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

    private static StandbyException OtherVersion(string folder, string why, Exception? inner = null) => new(
        $"The group pinned at {folder} is not one of this version of maplog: {why}. Stop its members and remove it with 'maplog standby remove {Path.GetFileName(folder)}'.", inner);

    private static void Fill(string folder)
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
        for (var slot = 0; slot < MostMembers; slot++)
            Directory.CreateDirectory(Path.Combine(folder, "slots", slot.ToString(CultureInfo.InvariantCulture)));
    }

    // The newest of that name: an older one that drains may be there too.
    private ref MemberRecord Require(string member)
    {
        var members = Members();
        var newest = members.Where(m => m.Name == member).OrderBy(m => m.Faults.HasFlag(StandbyFaults.Draining)).ThenByDescending(m => m.Incarnation).FirstOrDefault()
            ?? throw new StandbyException($"Group {Name} has no member '{member}'{(members.Count == 0 ? ", nor any other" : $"; it has {string.Join(", ", members.Select(m => m.Name).Distinct())}")}.");
        return ref _records[newest.Slot];
    }

    private List<StandbyEndpoint> OpenEndpoints()
    {
        var endpoints = new List<StandbyEndpoint>();
        foreach (var folder in Directory.EnumerateDirectories(EndpointsFolder).Where(f => !Path.GetFileName(f).Contains("_new_", StringComparison.Ordinal)))
            endpoints.Add(StandbyEndpoint.Open(folder));
        return endpoints;
    }
}
