using Maplog.Kernel;

namespace Maplog.HotStandby;

/// <summary>A folder of pins that appears whole or not at all, whoever makes it first, and goes in one step too.</summary>
internal static class PinnedFolder
{
    /// <summary>How folders are named that are being made or removed; no name of a group or an address begins so.</summary>
    public const string Mark = "_unfinished_";

    /// <summary>Lets <paramref name="fill"/> make the pins in a folder of another name, then renames it. If somebody was faster, theirs stays.</summary>
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

    /// <summary>Takes a folder of pins away; who looks for it finds it whole or not. The caller holds the lock on it.</summary>
    public static void Remove(string folder)
    {
        if (!Bpffs.Holds(folder))
            throw new KernelException($"Cannot remove the pins in {folder}: it is not on a BPF file system.", Errno.Einval);
        var going = Unfinished(Path.GetDirectoryName(folder)!);
        Bpffs.Publish(folder, going);
        Directory.Delete(going, recursive: true);
    }

    /// <summary>Whether a folder is one that somebody is making or removing.</summary>
    public static bool IsUnfinished(string folder) => Path.GetFileName(folder).StartsWith(Mark, StringComparison.Ordinal);

    private static string Unfinished(string above) => Path.Combine(above, $"{Mark}{Guid.NewGuid():N}");

    // With the lock on it, by which others tell that its maker lives: process numbers do not reach across containers.
    private static (string Folder, FolderLock Held) Begin(string above)
    {
        while (true)
        {
            var folder = Unfinished(above);
            Bpffs.EnsureMounted(folder);
            if (TryTake(folder) is { } held)
                return (folder, held);
            // Somebody has swept it away in the moment between.
        }
    }

    // What a process left that died in the middle of it.
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
