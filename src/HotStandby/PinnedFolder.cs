using System.Globalization;
using Maplog.Kernel;

namespace Maplog.HotStandby;

/// <summary>A folder of pins that appears whole or not at all, whoever makes it first.</summary>
internal static class PinnedFolder
{
    private const string Mark = "_new_";

    /// <summary>Lets <paramref name="fill"/> make the pins in a folder of another name, then renames it. If somebody was faster, theirs stays.</summary>
    public static void Make(string path, Action<string> fill)
    {
        var above = Path.GetDirectoryName(path)!;
        Bpffs.EnsureMounted(above);
        Sweep(above);
        var unfinished = $"{path}{Mark}{Environment.ProcessId}_{Environment.CurrentManagedThreadId}";
        Bpffs.EnsureMounted(unfinished);
        try
        {
            fill(unfinished);
            if (Bpffs.Publish(unfinished, path))
                return;
        }
        catch
        {
            Remove(unfinished);
            throw;
        }
        Remove(unfinished);
    }

    public static void Remove(string folder)
    {
        if (!Directory.Exists(folder))
            return;
        if (!Bpffs.Holds(folder))
            throw new KernelException($"Cannot remove the pins in {folder}: it is not on a BPF file system.", Errno.Einval);
        Directory.Delete(folder, recursive: true);
    }

    // What a process left that died in the middle of it.
    private static void Sweep(string above)
    {
        foreach (var folder in Directory.EnumerateDirectories(above, $"*{Mark}*"))
        {
            var maker = folder[(folder.LastIndexOf(Mark, StringComparison.Ordinal) + Mark.Length)..].Split('_')[0];
            if (int.TryParse(maker, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && !Directory.Exists($"/proc/{pid}"))
                Remove(folder);
        }
    }
}
