using System.Runtime.InteropServices;

namespace Maplog.HotStandby;

/// <summary><c>struct standby_port</c> of <c>bpf/hot_standby.h</c>.</summary>
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal struct PortRecord
{
    public ulong Beat;
    public uint Pulse;
    public uint Unused0;
    public ulong Asked;
}
