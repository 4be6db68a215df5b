using System.Runtime.InteropServices;

namespace Maplog.Walking;

/// <summary>struct walk_call of bpf/walk.h: the argument of one call of the walk.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct WalkCall
{
    public ulong Elements;
    public uint From;
    public uint Count;
    public uint All;
    public uint Next;
    public uint Found;
    public uint Live;
    public uint Moving;
    public uint Unreadable;
}
