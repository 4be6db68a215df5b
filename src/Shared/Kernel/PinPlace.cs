namespace Maplog.Kernel;

/// <summary>
/// Which pin a path leads to: every pin is an inode of its own, so an equal place means the same pinned object. Reading it
/// costs one system call, and opens nothing.
/// </summary>
/// <param name="Device">The file system; every BPF file system has its own.</param>
/// <param name="Inode">The pin on it.</param>
public readonly record struct PinPlace(ulong Device, ulong Inode)
{
    /// <summary>The place that a path leads to; null if it leads to none that this process can reach.</summary>
    public static PinPlace? Of(string path) => Native.FileIdentity(path, out ulong device, out ulong inode) == 0 ? new PinPlace(device, inode) : null;
}
