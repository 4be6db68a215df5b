namespace Maplog.Kernel;

/// <summary>CPUs for which the kernel has room, present or not: the number of values under one key of a per-CPU map.</summary>
public static class PossibleCpus
{
    private static readonly Lazy<int> Counted = new(() =>
    {
        int count = Native.PossibleCpus();
        return count > 0 ? count : throw new KernelException(
            "Cannot count the possible CPUs from /sys/devices/system/cpu/possible: is /sys mounted?", -count);
    });

    public static int Count => Counted.Value;
}
