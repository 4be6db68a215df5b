namespace Maplog.Hooking;

/// <summary>How changes are seen, best first.</summary>
public enum Probe
{
    /// <summary>fexit on the kernel's map operations: everything but writes through pointers.</summary>
    Fentry,

    /// <summary>kprobes on the map operations for networking programs, the bpf(2) tracepoint for user space.</summary>
    Kprobe,

    /// <summary>The bpf(2) tracepoint alone: what user space writes.</summary>
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
