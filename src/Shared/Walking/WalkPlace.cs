using System.Runtime.InteropServices;
using Maplog.Kernel;

namespace Maplog.Walking;

/// <summary>struct walk_place of bpf/walk.h: where the elements of a map lie in the kernel's memory.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct WalkPlace
{
    public ulong Elements;
    public uint ElementSize;
    public uint Id;
    public uint Type;
    public uint KeySize;
    public uint ValueSize;
    public uint MaxEntries;

    /// <summary>Whether this is the place of a map, and not only of its id.</summary>
    public readonly bool IsOf(MapInfo map) =>
        Elements != 0 && ElementSize != 0 && Type == (uint)map.Type && KeySize == (uint)map.KeySize 
        && ValueSize == (uint)map.ValueSize && MaxEntries == map.MaxEntries;
}
