namespace Maplog.HotStandby;

/// <summary>The settings of a group that an operator has set: they stay when a member joins with other values.</summary>
[Flags]
internal enum GroupOrders : uint
{
    None = 0,
    Policy = 1,
    Failback = 2,
    Timeout = 4,
    Refuse = 8,
}
