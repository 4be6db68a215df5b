namespace Maplog.HotStandby;

/// <summary>Why a member is passed over. The numbers of <c>bpf/hot_standby.h</c>: the greater, the worse.</summary>
[Flags]
public enum StandbyFaults
{
    None = 0,

    /// <summary>Its weight is 0, in a group that is not ranked.</summary>
    Weightless = 1,

    /// <summary>It says itself that others should go before it: its replicas lag.</summary>
    Ineligible = 2,

    /// <summary>Its own check failed.</summary>
    Unhealthy = 4,

    /// <summary>It takes no new connections, by its own word or an operator's; what it has goes on. That its process ends is its own affair.</summary>
    Draining = 8,

    /// <summary>Its serving path has written no heartbeat for longer than the timeout.</summary>
    Stale = 16,
}
