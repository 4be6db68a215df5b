using System.Runtime.InteropServices;

namespace Maplog.Kernel;

/// <summary>A file descriptor with one owner, from the call that returns it to its close(2).</summary>
public abstract class OwnedFd : SafeHandle
{
    private protected OwnedFd()
        : base(-1, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle < 0;

    /// <summary>
    /// Takes the result of a call: the descriptor, or minus the errno. The object is created before the call, so nothing can fail between
    /// the two.
    /// </summary>
    /// <returns>0, or the errno.</returns>
    internal int Take(int result)
    {
        if (result < 0)
            return -result;
        SetHandle(result);
        return 0;
    }

    protected override bool ReleaseHandle() => Native.Close((int)handle) == 0;
}
