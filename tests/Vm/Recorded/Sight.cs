namespace Maplog.Tests.Recorded;

/// <summary>What a probe can see and what it cannot: the table that the project was built on, told here a second time.</summary>
/// <param name="Probe">fentry, kprobe or syscall.</param>
/// <param name="Kernel">The kernel's version.</param>
public sealed record Sight(string Probe, Version Kernel)
{
    private const string Pointers = "pointer that bpf_map_lookup_elem returned", Mapped = "through mmap", Programs = "Changes by BPF programs",
        Tracing = "Changes by tracing programs", TrieUpdates = "trie_update_elem could not be hooked", TrieDeletes = "trie_delete_elem could not be hooked", Evictions = "Evictions";

    /// <param name="probe">fentry, kprobe or syscall.</param>
    /// <param name="release">As uname -r has it.</param>
    public static Sight Of(string probe, string release)
    {
        var numbers = release.Split('.', '-', '+');
        return new Sight(probe, new Version(int.Parse(numbers[0]), int.Parse(numbers[1])));
    }

    /// <summary>Null if such changes are seen; else words that the coverage report must have about it.</summary>
    /// <param name="change">The change.</param>
    /// <param name="type">Of the map, in mapdriver's words.</param>
    public string? Blind(DriverChange change, string type) => change.Writer switch
    {
        _ when change.Way.EndsWith(".pointer", StringComparison.Ordinal) => Pointers,
        "mmap" => Mapped,
        "syscall" => null,
        _ when Probe == "syscall" => Programs,
        // On the newest kernels neither kprobe nor fentry attaches to them.
        _ when type == "lpm_trie" && Kernel.Major >= 7 => change.Op == "delete" ? TrieDeletes : TrieUpdates,
        "kprobe" or "perf_event" when Probe == "kprobe" => Tracing,
        "tracepoint" when Probe == "kprobe" && Kernel.Major < 7 => Tracing,
        _ => null,
    };

    /// <summary>
    /// Whether the kernel may skip the hook now and then, and counts it: a preemptible one does, where a task is held up in a system
    /// call's tracepoint, or one task in each of the two programs on a function (decision 6).
    /// </summary>
    public bool MayBeSkipped => Kernel.Major >= 7;

    /// <summary>Whether programs' changes may be missing that the kernel does not count: of kprobes it skips more than it can tell apart (decision 6).</summary>
    public bool MayMissUncounted => Probe == "kprobe" && MayBeSkipped;

    /// <summary>The same of the evictions that a writer's updates bring about.</summary>
    public string? BlindToEvictions(string writer) => Probe switch
    {
        "fentry" => null,
        "kprobe" => writer == "syscall" ? $"{Evictions} inside bpf(2)" : null,
        _ => Evictions,
    };
}
