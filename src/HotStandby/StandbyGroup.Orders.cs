using System.Globalization;

namespace Maplog.HotStandby;

/// <summary>The orders of an operator.</summary>
public sealed partial class StandbyGroup
{
    /// <summary>Sets the group as an operator asks. Null leaves a setting as it is.</summary>
    public void Order(StandbyPolicy? policy = null, Failback? failback = null, TimeSpan? timeout = null, bool? refuse = null)
    {
        if (timeout is { } asked && !IsTimeout(asked))
            throw new StandbyException($"A timeout of {asked.TotalMilliseconds.ToString(CultureInfo.InvariantCulture)} ms for group {Name} is not from 10 ms to a minute.");
        Set(policy, failback, timeout, refuse);
        Settings.Ordered |= (uint)((policy is null ? 0 : GroupOrders.Policy) | (failback is null ? 0 : GroupOrders.Failback)
            | (timeout is null ? 0 : GroupOrders.Timeout) | (refuse is null ? 0 : GroupOrders.Refuse));
    }

    /// <summary>
    /// Stops new connections to a member, or permits them again. Present connections continue, and a restarted member takes connections.
    /// </summary>
    public void Drain(string member, bool drain = true) => Require(member).Draining = drain ? 1u : 0;

    /// <summary>Sets a member's rank, until another rank is set here: a restart does not change it.</summary>
    public void Rank(string member, int rank)
    {
        if (rank < 0)
            throw new StandbyException($"The rank {rank} for member {member} of group {Name} is below 0.");
        ref var record = ref Require(member);
        record.Rank = (uint)rank;
        record.Ordered |= (uint)MemberOrders.Rank;
    }

    /// <summary>Sets a member's weight, until another weight is set here.</summary>
    public void Weigh(string member, int weight)
    {
        if (weight is < 0 or > MostWeight)
            throw new StandbyException($"The weight {weight} for member {member} of group {Name} is not from 0 to {MostWeight}.");
        ref var record = ref Require(member);
        record.Weight = (uint)weight;
        record.Ordered |= (uint)MemberOrders.Weight;
    }

    /// <summary>
    /// Makes a member serve before all others: it gets rank 0, and the members before it move one back. A held failback moves to it.
    /// </summary>
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

    // The newest member of that name: an older one may still be draining.
    private ref MemberRecord Require(string member)
    {
        var members = Members();
        var newest = members.Where(m => m.Name == member).OrderBy(m => m.Faults.HasFlag(StandbyFaults.Draining)).ThenByDescending(m => m.Incarnation).FirstOrDefault()
            ?? throw new StandbyException($"Group {Name} has no member '{member}'{(members.Count == 0 ? "; it has no member" : $"; it has {string.Join(", ", members.Select(m => m.Name).Distinct())}")}.");
        return ref _records[newest.Slot];
    }
}
