namespace Maplog.HotStandby;

/// <summary>How a group chooses among its well members. The numbers of <c>bpf/hot_standby.h</c>.</summary>
public enum StandbyPolicy
{
    /// <summary>The member of lowest rank: a primary, its standby, the standby's standby.</summary>
    Ranked = 0,

    /// <summary>
    /// Each member in proportion to its weight, by the hash of addresses and ports: for example a canary with 5 and a service with 95.
    /// </summary>
    Weighted = 1,

    /// <summary>The client's address decides; when a member joins or leaves, only its own clients move.</summary>
    Sticky = 2,
}
