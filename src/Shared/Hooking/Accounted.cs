using System.Runtime.InteropServices;

namespace Maplog.Hooking;

/// <summary>The losses of a map that its log reports, since the ring was created: kept next to the ring, for the next daemon.</summary>
/// <param name="Losses">Changes that did not reach the ring.</param>
/// <param name="Skips">Calls for which the kernel did not run the hook.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct Accounted(Losses Losses, ulong Skips)
{
    public const int Size = Hooking.Losses.Size + sizeof(ulong);
}
