namespace Maplog.Hooking;

/// <summary>How the hook sees changes, best first.</summary>
public enum Probe
{
    /// <summary>fexit on the kernel's map operations: everything but writes through pointers.</summary>
    Fentry,

    /// <summary>kprobes on the map operations for networking programs, the bpf(2) tracepoint for user space.</summary>
    Kprobe,

    /// <summary>Only the bpf(2) tracepoint: writes by user space.</summary>
    Syscall,
}

public static class Probes
{
    public static IReadOnlyList<Probe> BestFirst { get; } = [Probe.Fentry, Probe.Kprobe, Probe.Syscall];

    /// <summary>The name in settings, in the log and in pins.</summary>
    public static string Name(this Probe probe) => probe switch
    {
        Probe.Fentry => "fentry",
        Probe.Kprobe => "kprobe",
        _ => "syscall",
    };
}
