using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Maplog.Kernel;

/// <summary>
/// The lock on a folder, held until it is disposed. The kernel releases it when its process ends, in whatever way. It works on a BPF file
/// system, which has no files to lock, and between containers that see the same folder.
/// </summary>
[SuppressMessage("Interoperability", "CA1419", Justification = "Only a lock that holds is handed out.")]
public sealed class FolderLock : OwnedFd
{
    private FolderLock()
    {
    }

    /// <summary>Takes the lock; null if another process holds it, or has just renamed or removed the folder.</summary>
    public static FolderLock? TryTake(string folder)
    {
        var held = new FolderLock();
        int errno = held.Take(Native.OpenFolder(folder));
        if (errno == 0)
            errno = -Native.Lock(held);
        // Between our two calls its holder may have removed the folder: then this lock is on a folder that nobody finds.
        if (errno == 0 && held.IsOf(folder))
            return held;
        held.Dispose();
        return errno is 0 or Errno.Eagain ? null : throw new KernelException($"Cannot lock the folder {folder}: the kernel refused it.", errno);
    }

    /// <summary>Whether the path still leads to the locked folder: the folder was neither removed nor replaced.</summary>
    public bool IsOf(string folder)
    {
        using var found = new FolderLock();
        return found.Take(Native.OpenFolder(folder)) == 0 && Place(this) == Place(found);
    }

    /// <summary>The process that holds the lock on a folder, by the kernel's list of locks.</summary>
    /// <returns>Its number in this process' pid namespace; null if no process holds the lock, or the process is not visible.</returns>
    public static int? HolderOf(string folder)
    {
        try
        {
            return PinPlace.Of(folder) is { } place ? HolderOf(place, File.ReadLines("/proc/locks")) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // A container may hide the list.
        }
    }

    /// <param name="folder">The folder.</param>
    /// <param name="locks">Lines of /proc/locks: <c>1: FLOCK  ADVISORY  WRITE 4242 00:1d:1034 0 EOF</c>, the device in hexadecimal.</param>
    internal static int? HolderOf(PinPlace folder, IEnumerable<string> locks)
    {
        string wanted = string.Create(CultureInfo.InvariantCulture, $"{(uint)folder.Device:x2}:{folder.Device >> 32:x2}:{folder.Inode}");
        foreach (string line in locks)
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 6 || words[1] != "FLOCK" || words[5] != wanted)
                continue;
            if (int.TryParse(words[4], CultureInfo.InvariantCulture, out int process) && process > 0)
                return process;
        }

        return null;
    }

    // The path at which the kernel has the folder now, with a mark if it is deleted.
    private static string? Place(FolderLock held) => new FileInfo($"/proc/self/fd/{(int)held.handle}").LinkTarget;
}
