namespace Maplog.Kernel;

/// <summary>
/// This process' view of the host's file systems. A mount namespace with its own /sys (<c>ip netns exec</c>, <c>unshare</c>, some
/// containers) has an empty <see cref="Bpffs.Root"/>: pins there end with the namespace, and no other process finds them.
/// </summary>
public static class MountView
{
    /// <summary>
    /// Why other processes of this host do not see the pins in a folder, a sentence with what to do; null if they do, or if it is unknown.
    /// </summary>
    /// <param name="folder">A path under a BPF file system; it need not exist.</param>
    public static string? WhyUnseen(string folder)
    {
        if (Namespace("self") is not { } own || Namespace("1") is not { } first || own == first)
            return null;
        string path = Bpffs.NearestThatExists(folder);
        // The same file system as process 1 has there, for example through a bind mount.
        if (PinPlace.Of(path) is not { } here || PinPlace.Of($"/proc/1/root{path}")?.Device == here.Device)
            return null;
        return $"This process is in its own mount namespace, in which {path} is not the BPF file system of the host: "
            + $"no process of the host sees the pins there, the pins end with the namespace, and the process does not find the pins of the host. "
            + $"Start it in the host's mount namespace ('nsenter --mount=/proc/1/ns/mnt COMMAND'), or give the namespace the host's file system (a bind mount of {Bpffs.Root}).";
    }

    private static string? Namespace(string process)
    {
        try
        {
            return new FileInfo($"/proc/{process}/ns/mnt").LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
