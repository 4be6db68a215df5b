using Maplog.Kernel;

namespace Maplog.HotStandby;

/// <summary>
/// A folder of pins that appears complete or not at all, whichever process creates it first, and disappears in one step too.
/// </summary>
internal static class PinnedFolder
{
    /// <summary>The prefix of folders that are being created or removed; no name of a group or an address begins with it.</summary>
    public const string Mark = "_unfinished_";

    /// <summary>
    /// Lets <paramref name="fill"/> create the pins in a folder with another name, and then renames the folder. If another process was
    /// faster, its folder stays.
    /// </summary>
    public static void Make(string path, Action<string> fill)
    {
        var above = Path.GetDirectoryName(path)!;
        Bpffs.EnsureMounted(above);
        Sweep(above);
        var (unfinished, held) = Begin(above);
        using (held)
        {
            try
            {
                fill(unfinished);
                if (Bpffs.Publish(unfinished, path))
                    return;
            }
            catch
            {
                Directory.Delete(unfinished, recursive: true);
                throw;
            }
            Directory.Delete(unfinished, recursive: true);
        }
    }

    /// <summary>Removes a folder of pins; other processes see it complete or not at all. The caller holds the lock on it.</summary>
    public static void Remove(string folder)
    {
        if (!Bpffs.Holds(folder))
            throw new KernelException($"Cannot remove the pins in {folder}: it is not on a BPF file system.", Errno.Einval);
        var going = Unfinished(Path.GetDirectoryName(folder)!);
        Bpffs.Publish(folder, going);
        Directory.Delete(going, recursive: true);
    }

    /// <summary>Whether a process is creating or removing the folder.</summary>
    public static bool IsUnfinished(string folder) => Path.GetFileName(folder).StartsWith(Mark, StringComparison.Ordinal);

    private static string Unfinished(string above) => Path.Combine(above, $"{Mark}{Guid.NewGuid():N}");

    // With the lock on it, which shows others that its maker lives: process numbers do not work across containers.
    private static (string Folder, FolderLock Held) Begin(string above)
    {
        while (true)
        {
            var folder = Unfinished(above);
            Bpffs.EnsureMounted(folder);
            if (TryTake(folder) is { } held)
                return (folder, held);
            // Another process has removed it in between.
        }
    }

    // The remains of a process that died in the middle.
    private static void Sweep(string above)
    {
        foreach (var folder in Directory.EnumerateDirectories(above, $"{Mark}*"))
        {
            using var held = TryTake(folder);
            if (held is not null)
                Directory.Delete(folder, recursive: true);
        }
    }

    private static FolderLock? TryTake(string folder)
    {
        try
        {
            return FolderLock.TryTake(folder);
        }
        catch (KernelException e) when (e.Errno == Errno.Enoent)
        {
            return null; // gone
        }
    }
}
