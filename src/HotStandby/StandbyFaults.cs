namespace Maplog.HotStandby;

/// <summary>Why the program passes over a member. The numbers of <c>bpf/hot_standby.h</c>: a greater number is worse.</summary>
[Flags]
public enum StandbyFaults
{
    None = 0,

    /// <summary>The weight is 0, in a group that is not ranked.</summary>
    Weightless = 1,

    /// <summary>The member has declared that others should go before it: its replicas lag.</summary>
    Ineligible = 2,

    /// <summary>The member's own check failed.</summary>
    Unhealthy = 4,

    /// <summary>
    /// The member takes no new connections, because it or an operator asked for this; its present connections continue. The process decides
    /// when it ends.
    /// </summary>
    Draining = 8,

    /// <summary>The member's serving code has written no heartbeat for longer than the timeout.</summary>
    Stale = 16,
}
