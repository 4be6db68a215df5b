namespace Maplog.HotStandby;

/// <summary>Which settings of a member an operator has set: these outlive its restart.</summary>
[Flags]
internal enum MemberOrders : uint
{
    None = 0,
    Rank = 1,
    Weight = 2,
}
