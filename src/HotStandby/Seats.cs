using Maplog.Kernel;

namespace Maplog.HotStandby;

/// <summary>
/// The members and their slots. A slot belongs to its member as long as the member holds the lock on the slot's folder; the kernel releases
/// the lock of a dead process. Slots are assigned under the lock on the group's folder.
/// </summary>
internal static class Seats
{
    /// <summary>How long a joining member waits for other joining members.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The lock on a group's folder, under which members join and the group is removed; null if there is no such folder.</summary>
    public static FolderLock? Lock(string folder)
    {
        try
        {
            return TryLock(folder, Patience)
                ?? throw new StandbyException($"Cannot take the lock on {folder}: another process has been joining a group there for {Patience.TotalSeconds} s and holds it; 'lsof {folder}' names it.");
        }
        catch (KernelException e) when (e.Errno == Errno.Enoent)
        {
            return null;
        }
    }

    /// <summary>The same; null if another process had the lock all the time, and an error if there is no such folder.</summary>
    public static FolderLock? TryLock(string folder, TimeSpan patience)
    {
        for (var until = Clock.Now() + Clock.Of(patience); ;)
        {
            if (FolderLock.TryTake(folder) is { } held)
                return held;
            if (Clock.Now() > until)
                return null;
            Thread.Sleep(2);
        }
    }

    public static (int Slot, FolderLock Held) Take(StandbyGroup group, StandbyOptions options)
    {
        var free = new Dictionary<int, FolderLock>();
        try
        {
            for (var slot = 0; slot < GroupRecord.Slots; slot++)
            {
                if (FolderLock.TryTake(group.SlotFolder(slot)) is { } held)
                {
                    free[slot] = held;
                    group.Record(slot).Incarnation = 0; // who died here did not say goodbye
                }
            }
            CheckName(group, options, free);
            Settle(group, options, free.Count == GroupRecord.Slots);
            group.Settings.Taken = Enumerable.Range(0, GroupRecord.Slots).Where(s => !free.ContainsKey(s)).Aggregate(0u, (bits, s) => bits | 1u << s);
            var (ordered, rank, weight) = Orders(group, options.Member);
            var chosen = Choose(group, options.Member, free);
            ref var record = ref group.Record(chosen);
            (record.Ordered, record.Rank, record.Weight) = (ordered, rank, weight);
            Write(group, options, chosen);
            free.Remove(chosen, out var mine);
            return (chosen, mine!);
        }
        finally
        {
            foreach (var held in free.Values)
                held.Dispose();
        }
    }

    private static void CheckName(StandbyGroup group, StandbyOptions options, Dictionary<int, FolderLock> free)
    {
        for (var slot = 0; slot < GroupRecord.Slots; slot++)
        {
            ref var record = ref group.Record(slot);
            if (!free.ContainsKey(slot) && record.Incarnation != 0 && record.Draining == 0 && record.Name.ToString() == options.Member)
            {
                throw new StandbyException(
                    $"Member {options.Member} of group {group.Name} exists already, as process {record.Pid} in slot {slot}: stop or drain it ('maplog standby drain {group.Name} {options.Member}'), or choose another name.");
            }
        }
        if (free.Count == 0)
            throw new StandbyException($"Group {group.Name} is full: live processes hold all {GroupRecord.Slots} slots; 'maplog standby list {group.Name}' names them.");
    }

    // The first member of a group may set how the group works; later members must agree, unless an operator has set it.
    private static void Settle(StandbyGroup group, StandbyOptions options, bool first)
    {
        ref var settings = ref group.Settings;
        var network = NetworkNamespace();
        if (!first && settings.Network != network)
            throw new StandbyException($"Member {options.Member} cannot join group {group.Name}: the group's members are in another network namespace, and two namespaces cannot share a port. Choose another group, or start the member in their namespace.");
        settings.Network = network;
        var ordered = (GroupOrders)settings.Ordered;
        if (options.Policy is { } policy && policy != group.Policy && !ordered.HasFlag(GroupOrders.Policy))
        {
            if (!first)
                throw Disagrees(group, options, $"{policy}", $"{group.Policy}", "policy");
            group.Set(policy, null, null, null);
        }
        if (options.Failback is { } failback && failback != group.Failback && !ordered.HasFlag(GroupOrders.Failback))
        {
            if (!first)
                throw Disagrees(group, options, $"{failback}", $"{group.Failback}", "failback");
            group.Set(null, failback, null, null);
        }
    }

    private static StandbyException Disagrees(StandbyGroup group, StandbyOptions options, string wanted, string has, string setting) => new(
        $"Member {options.Member} cannot join group {group.Name}: it asks for the {setting} {wanted}, but the present members have {has}. Give all members the same value, or none, and change it with 'maplog standby set {group.Name}'.");

    // An operator's settings belong to the name, also those of a member that drains in another slot; the latest setting counts.
    private static (uint Ordered, uint Rank, uint Weight) Orders(StandbyGroup group, string name)
    {
        var (latest, orders) = (0ul, default((uint, uint, uint)));
        for (var slot = 0; slot < GroupRecord.Slots; slot++)
        {
            ref var record = ref group.Record(slot);
            if (record.Joined > latest && record.Name.ToString() == name)
                (latest, orders) = (record.Joined, (record.Ordered, record.Rank, record.Weight));
        }
        return orders;
    }

    // The earlier slot of the name, because its counts continue. Otherwise a slot that was never used, otherwise the slot of a dead member.
    private static int Choose(StandbyGroup group, string name, Dictionary<int, FolderLock> free)
    {
        var slots = free.Keys.Order().ToList();
        foreach (var slot in slots)
        {
            if (group.Record(slot).Name.ToString() == name)
                return slot;
        }
        var seat = slots.Find(s => group.Record(s).Joined == 0, out var unused) ? unused : slots[0];
        group.Record(seat) = default;
        group.ResetCounts(seat);
        return seat;
    }

    private static void Write(StandbyGroup group, StandbyOptions options, int slot)
    {
        ref var record = ref group.Record(slot);
        var ordered = (MemberOrders)record.Ordered;
        record.Name.Set(options.Member);
        record.Seed = StandbyNames.Seed(options.Member);
        record.Pid = (uint)Environment.ProcessId;
        record.Joined = Clock.Now();
        record.Timeout = options.Timeout is { } timeout ? Clock.Of(timeout) : 0;
        if (!ordered.HasFlag(MemberOrders.Rank))
            record.Rank = (uint)options.Rank;
        if (!ordered.HasFlag(MemberOrders.Weight))
            record.Weight = (uint)options.Weight;
        record.Draining = 0;
        record.Unhealthy = options.Healthy is null ? 0u : 1; // until its check has answered
        record.Level = 0;
        record.Eligible = options.Eligible is null && options.Replicas.Count == 0 ? MemberRecord.Always : 0;
        record.NoBeat = options.Heartbeat ? 0u : 1;
        Volatile.Write(ref record.Incarnation, ++group.Settings.Incarnations);
        group.Settings.Taken |= 1u << slot;
    }

    private static bool Find(this List<int> slots, Predicate<int> match, out int found)
    {
        var index = slots.FindIndex(match);
        found = index < 0 ? -1 : slots[index];
        return index >= 0;
    }

    // "net:[4026531840]"
    private static ulong NetworkNamespace()
    {
        var link = new FileInfo("/proc/thread-self/ns/net").LinkTarget ?? "";
        return ulong.TryParse(link.AsSpan(link.IndexOf('[') + 1).TrimEnd(']'), System.Globalization.CultureInfo.InvariantCulture, out var inode) ? inode : 0;
    }
}
