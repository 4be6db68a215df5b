namespace Maplog.Kernel;

/// <summary>The file system with the numbers of the tracepoints.</summary>
public static class Tracefs
{
    /// <summary>Its mount point, by the kernel's convention.</summary>
    public const string Root = "/sys/kernel/tracing";

    public static bool IsMounted => File.Exists(Root + "/available_events") || File.Exists("/sys/kernel/debug/tracing/available_events");

    /// <summary>Mounts tracefs if it is not mounted (CAP_SYS_ADMIN).</summary>
    public static void EnsureMounted()
    {
        if (IsMounted)
            return;
        int errno = -Native.Mount("tracefs", Root, "tracefs");
        if (errno != 0)
            throw new KernelException($"Cannot mount tracefs at {Root}, which has the numbers of the tracepoints: {(errno == Errno.Eperm ? Privileges.Explain("CAP_SYS_ADMIN") : "the kernel refused it")}. 'mount -t tracefs tracefs {Root}' mounts it by hand.", errno);
    }
}
