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

    /// <summary>Takes the lock; null if another holds it, or has just renamed or removed the folder.</summary>
    public static FolderLock? TryTake(string folder)
    {
        var held = new FolderLock();
        int errno = held.Take(Native.OpenFolder(folder));
        if (errno == 0)
            errno = -Native.Lock(held);
        // Between our two calls its holder may have taken the folder away: then this is the lock on what nobody finds.
        if (errno == 0 && held.IsOf(folder))
            return held;
        held.Dispose();
        return errno is 0 or Errno.Eagain ? null : throw new KernelException($"Cannot lock the folder {folder}: the kernel refused it.", errno);
    }

    private bool IsOf(string folder)
    {
        using var found = new FolderLock();
        return found.Take(Native.OpenFolder(folder)) == 0 && Place(this) == Place(found);
    }

    // Where the kernel has it now, and whether it is deleted.
    private static string? Place(FolderLock held) => new FileInfo($"/proc/self/fd/{(int)held.handle}").LinkTarget;
}
