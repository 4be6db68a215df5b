using Maplog.Kernel;

namespace Maplog.HotStandby;

/// <summary>The present state of a member.</summary>
/// <param name="Slot">Its place in the arrays.</param>
/// <param name="Name">Its name.</param>
/// <param name="Incarnation">The number of this process' stay in the group; later stays have greater numbers.</param>
/// <param name="Pid">Its process, in the process' own numbering.</param>
/// <param name="Rank">The lowest rank serves, in a ranked group.</param>
/// <param name="Weight">The share, in a weighted group.</param>
/// <param name="Faults">Why the program would pass over it.</param>
/// <param name="IsIncumbent">Whether it was chosen last, in a ranked group.</param>
/// <param name="ReplicaAge">
/// How long ago the oldest of its replicas was last level with its log, as far as the member knows; null if it names no replicas, or the
/// time is unknown.
/// </param>
/// <param name="BeatAge">Age of its heartbeat, the oldest of its ports; null if it has none.</param>
/// <param name="Timeout">The age at which its heartbeat is stale.</param>
/// <param name="InGroup">How long it has been in the group.</param>
/// <param name="Chosen">New connections (UDP: datagrams) given to it and to earlier members with its name and slot.</param>
/// <param name="Migrated">Connections given to it from a closing listener.</param>
/// <param name="LastResort">Among both, those that it got although it had a fault.</param>
/// <param name="Listens">Its addresses, as <c>tcp 127.0.0.1:8080</c>.</param>
public sealed record MemberStatus(
    int Slot, string Name, ulong Incarnation, int Pid, int Rank, int Weight, StandbyFaults Faults, bool IsIncumbent, TimeSpan? ReplicaAge, TimeSpan? BeatAge, TimeSpan Timeout,
    TimeSpan InGroup, ulong Chosen, ulong Migrated, ulong LastResort, IReadOnlyList<string> Listens)
{
    internal static MemberStatus Of(int slot, in MemberRecord record, in GroupRecord group, ulong now, in CountRecord counts, IReadOnlyList<string> listens, ulong? oldestBeat)
    {
        var timeout = record.Timeout != 0 ? record.Timeout : group.Timeout;
        long? age = record.NoBeat == 0 && oldestBeat is { } beat ? (long)(now - beat) : null;
        var faults = (group.Policy != (uint)StandbyPolicy.Ranked && record.Weight == 0 ? StandbyFaults.Weightless : 0)
            | (record.Eligible < now ? StandbyFaults.Ineligible : 0)
            | (record.Unhealthy != 0 ? StandbyFaults.Unhealthy : 0)
            | (record.Draining != 0 ? StandbyFaults.Draining : 0)
            | (age > (long)timeout ? StandbyFaults.Stale : 0);
        return new MemberStatus(
            slot, record.Name.ToString(), record.Incarnation, (int)record.Pid, (int)record.Rank, (int)record.Weight, faults,
            group.Policy == (uint)StandbyPolicy.Ranked && record.Incarnation == group.Incumbent,
            record.Level != 0 ? HotStandby.ReplicaAge.Since(record.Level, Boot.Now()) : null,
            age is { } old ? Time(old) : null, Time((long)timeout), Time((long)(now - record.Joined)), counts.Chosen, counts.Migrated, counts.LastResort, listens);
    }

    private static TimeSpan Time(long nanoseconds) => TimeSpan.FromTicks(Math.Max(0, nanoseconds) / TimeSpan.NanosecondsPerTick);
}
