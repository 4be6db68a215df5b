using Maplog.Kernel;

namespace Maplog.HotStandby;

/// <summary>A member as it is at this moment.</summary>
/// <param name="Slot">Its place in the arrays.</param>
/// <param name="Name">Its name.</param>
/// <param name="Incarnation">A number of this process' stay in the group; the greater, the later it came.</param>
/// <param name="Pid">Its process, as the process itself sees its number.</param>
/// <param name="Rank">The lowest serves, in a ranked group.</param>
/// <param name="Weight">The share, in a weighted group.</param>
/// <param name="Faults">Why it would be passed over.</param>
/// <param name="IsIncumbent">It is the one that was chosen last, in a ranked group.</param>
/// <param name="ReplicaAge">How long ago the oldest of its replicas was last level with its log, as the member knows; null if it names none, or it is not known.</param>
/// <param name="BeatAge">Age of its heartbeat, the oldest of where it listens; null if it has none.</param>
/// <param name="Timeout">The age at which its heartbeat is stale.</param>
/// <param name="InGroup">How long it has been in the group.</param>
/// <param name="Chosen">New connections (UDP: datagrams) given to it and to who had its name and slot before.</param>
/// <param name="Migrated">Connections given to it from a listener that closed.</param>
/// <param name="LastResort">Of both, those it was given although it had a fault.</param>
/// <param name="Listens">Where it listens, as <c>tcp 127.0.0.1:8080</c>.</param>
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
