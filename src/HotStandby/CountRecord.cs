using System.Runtime.InteropServices;

namespace Maplog.HotStandby;

/// <summary><c>struct standby_count</c> of <c>bpf/hot_standby.h</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CountRecord
{
    public ulong Chosen;
    public ulong Migrated;
    public ulong LastResort;
    public ulong Pulses;
}
