using System.Runtime.InteropServices;

namespace Maplog.Kernel;

/// <summary>A part of a file in this process' memory, until it is disposed.</summary>
internal sealed class MappedPages : SafeHandle
{
    private readonly nuint _length;

    public MappedPages(SafeHandle fd, nuint length, bool write, long offset, string what)
        : base(-1, ownsHandle: true)
    {
        _length = length;
        SetHandle(Native.Map(fd, length, write, offset, out int errno));
        if (errno != 0)
        {
            throw new KernelException(
                $"Cannot map {what} into memory: " + errno switch
                {
                    Errno.Eperm => "the descriptor does not allow it, or the map is frozen.",
                    Errno.Einval => "its size is different from the given size, or it is not a ring.",
                    _ => "the kernel refused it.",
                }, errno);
        }
    }

    public override bool IsInvalid => handle == -1;

    public nint Address => handle;

    protected override bool ReleaseHandle() => Native.UnmapMemory(handle, _length) == 0;
}
