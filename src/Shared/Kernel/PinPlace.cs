namespace Maplog.Kernel;

/// <summary>
/// The identity of a pin: every pin has its own inode, so an equal place means the same pinned object. Reading it costs one system call,
/// and opens nothing.
/// </summary>
/// <param name="Device">The file system; every BPF file system has its own device.</param>
/// <param name="Inode">The pin on it.</param>
public readonly record struct PinPlace(ulong Device, ulong Inode)
{
    /// <summary>The place of a path; null if this process can reach nothing at the path.</summary>
    public static PinPlace? Of(string path) => Native.FileIdentity(path, out ulong device, out ulong inode) == 0 ? new PinPlace(device, inode) : null;
}
