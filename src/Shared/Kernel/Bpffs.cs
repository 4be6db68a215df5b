namespace Maplog.Kernel;

/// <summary>The file system of pins. It contains only folders and pins, and accepts no names with dots.</summary>
public static class Bpffs
{
    /// <summary>The mount point in all distributions.</summary>
    public const string Root = "/sys/fs/bpf";

    private const long Magic = 0xcafe4a11;

    /// <summary>Whether <paramref name="path"/>, or the nearest existing folder above it, is on a bpffs.</summary>
    public static bool Holds(string path) => Native.FileSystem(NearestThatExists(path)) == Magic;

    /// <summary>
    /// Makes sure that the folder <paramref name="path"/> exists and is on a bpffs. Mounts <see cref="Root"/> if the path is
    /// under it and it is not mounted (CAP_SYS_ADMIN); never mounts anywhere else.
    /// </summary>
    public static void EnsureMounted(string path)
    {
        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (!Holds(path))
        {
            if (path != Root && !path.StartsWith(Root + "/", StringComparison.Ordinal))
            {
                throw new KernelException(
                    $"The folder {path} for pins is not on a BPF file system: choose one under {Root}, or mount one there with 'mount -t bpf bpf {path}'.", Errno.Einval);
            }

            int errno = -Native.Mount("bpf", Root, "bpf");
            if (errno != 0)
            {
                throw new KernelException(
                    $"Cannot mount the BPF file system at {Root}: {(errno == Errno.Eperm ? Privileges.Explain("CAP_SYS_ADMIN") : "the kernel refused it")}.", errno);
            }
        }

        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KernelException($"Cannot create the folder {path} for pins: {(e is UnauthorizedAccessException && !path.Contains('.') ? Privileges.Explain("CAP_SYS_ADMIN") : "names there must not contain a dot")}.", Errno.Eperm);
        }
    }

    /// <summary>Removes a pin; the pinned object lives on as long as something else holds it.</summary>
    /// <returns>False if there was no such pin.</returns>
    public static bool Unpin(string path)
    {
        int errno = -Native.Unlink(path);
        return errno switch
        {
            0 => true,
            Errno.Enoent => false,
            _ => throw new KernelException($"Cannot remove the pin {path}: the kernel refused it.", errno),
        };
    }

    /// <summary>Gives a folder of pins its name in one step, so that other processes see it complete.</summary>
    /// <returns>False if a folder with that name exists; then nothing was done.</returns>
    public static bool Publish(string folder, string name)
    {
        int errno = -Native.Rename(folder, name, replace: false);
        return errno switch
        {
            0 => true,
            Errno.Eexist or Errno.Enotempty => false,
            _ => throw new KernelException($"Cannot rename the folder of pins {folder} to {name}: the kernel refused it.", errno),
        };
    }

    /// <summary>
    /// Pins under a temporary name next to <paramref name="path"/>, then renames: a process that opens the path finds a complete pin or
    /// none, even if an older pin is replaced.
    /// </summary>
    /// <returns>0 or the errno.</returns>
    internal static int Pin(OwnedFd fd, string path, bool replace)
    {
        string temporary = $"{path}_new_{Environment.ProcessId}_{Environment.CurrentManagedThreadId}";
        int errno = -Native.ObjectPin(fd, temporary);
        if (errno != 0)
            return errno;
        errno = -Native.Rename(temporary, path, replace);
        if (errno != 0)
            _ = Native.Unlink(temporary);
        return errno;
    }

    /// <summary>Why pinning failed, with what to do.</summary>
    internal static KernelException PinRefused(string what, string path, int errno)
    {
        string folder = Path.GetDirectoryName(path) ?? "/";
        string why = errno switch
        {
            _ when Path.GetFileName(path).Contains('.') => "a BPF file system accepts no names with dots; choose another name",
            Errno.Enoent => $"the folder {folder} does not exist; create it first",
            Errno.Eexist => "something is pinned there already; remove it, or choose another path",
            Errno.Eperm or Errno.Einval when !Holds(folder) => $"{folder} is not on a BPF file system; choose a path under {Root}",
            Errno.Eperm or Errno.Eacces => Privileges.Explain("CAP_BPF"),
            _ => "the kernel refused it",
        };
        return new KernelException($"Cannot pin {what} at {path}: {why}.", errno);
    }

    internal static string NearestThatExists(string path)
    {
        path = Path.GetFullPath(path);
        while (!Path.Exists(path) && Path.GetDirectoryName(path) is { } above)
            path = above;
        return path;
    }
}
