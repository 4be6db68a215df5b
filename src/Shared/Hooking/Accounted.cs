using System.Runtime.InteropServices;

namespace Maplog.Hooking;

/// <summary>The losses of a map that its log tells of, since the ring was made: kept beside the ring, for the next daemon.</summary>
/// <param name="Losses">Changes that did not reach the ring.</param>
/// <param name="Skips">Calls for which the hook was not run.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct Accounted(Losses Losses, ulong Skips)
{
    public const int Size = Hooking.Losses.Size + sizeof(ulong);
}
