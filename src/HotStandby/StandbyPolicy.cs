namespace Maplog.HotStandby;

/// <summary>How a group chooses among its members that are well. The numbers of <c>bpf/hot_standby.h</c>.</summary>
public enum StandbyPolicy
{
    /// <summary>The one of the lowest rank: a primary, its standby, the standby's standby.</summary>
    Ranked = 0,

    /// <summary>Each in proportion to its weight, by the hash of addresses and ports: a canary with 5 beside 95.</summary>
    Weighted = 1,

    /// <summary>A client's address decides; when a member comes or goes, only its own clients move.</summary>
    Sticky = 2,
}
