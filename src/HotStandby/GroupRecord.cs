using System.Runtime.InteropServices;

namespace Maplog.HotStandby;

/// <summary><c>struct standby_group</c> of <c>bpf/hot_standby.h</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct GroupRecord
{
    public const int CurrentLayout = 4;
    public const int Slots = 16;

    public uint Layout;
    public uint Policy;
    public uint Failback;
    public uint Refuse;
    public ulong Timeout;
    public ulong Incumbent;
    public ulong Incarnations;
    public ulong Network;
    public uint Ordered;
    public uint Taken;
    public ulong Most;
}
