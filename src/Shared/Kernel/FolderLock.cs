using System.Diagnostics.CodeAnalysis;

namespace Maplog.Kernel;

/// <summary>
/// The lock on a folder, held until it is disposed. The kernel lets go of it when its process ends, however it ends;
/// it works on a BPF file system, which has no files to lock, and between containers that see the same folder.
/// </summary>
[SuppressMessage("Interoperability", "CA1419", Justification = "Only a lock that holds is handed out.")]
public sealed class FolderLock : OwnedFd
{
    private FolderLock()
    {
    }

    /// <summary>Takes the lock; null if another holds it.</summary>
    public static FolderLock? TryTake(string folder)
    {
        var held = new FolderLock();
        int errno = held.Take(Native.OpenFolder(folder));
        if (errno == 0)
            errno = -Native.Lock(held);
        if (errno == 0)
            return held;
        held.Dispose();
        return errno == Errno.Eagain ? null : throw new KernelException($"Cannot lock the folder {folder}: the kernel refused it.", errno);
    }
}
