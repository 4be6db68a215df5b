namespace Maplog.Kernel;

/// <summary>The present boot of the kernel. A map id or a ring position is meaningful only together with its boot.</summary>
public static class Boot
{
    private static readonly Lazy<string> ReadId = new(() => File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim());

    /// <summary>The kernel's boot id, a lower-case UUID of 36 characters.</summary>
    public static string Id => ReadId.Value;

    /// <summary>Nanoseconds since boot, including suspended time: the clock that BPF programs read with bpf_ktime_get_boot_ns.</summary>
    public static long Now() => Native.BootTime();
}
