namespace Maplog.HotStandby;

/// <summary>The settings of a member that an operator has set: they outlive the member's restart.</summary>
[Flags]
internal enum MemberOrders : uint
{
    None = 0,
    Rank = 1,
    Weight = 2,
}
