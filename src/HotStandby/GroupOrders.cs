namespace Maplog.HotStandby;

/// <summary>Which settings of a group an operator has set: these stay as they are when a member joins with others.</summary>
[Flags]
internal enum GroupOrders : uint
{
    None = 0,
    Policy = 1,
    Failback = 2,
    Timeout = 4,
    Refuse = 8,
}
