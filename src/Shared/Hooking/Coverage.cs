using Maplog.Kernel;

namespace Maplog.Hooking;

/// <summary>The changes that a probe cannot see, in sentences: for the start-up lines, <c>doctor</c> and the map-opened event.</summary>
public static class Coverage
{
    private const string Pointers = "Writes through a pointer that bpf_map_lookup_elem returned";

    /// <summary>The changes that the probe cannot see on any map, for the start-up lines.</summary>
    public static IReadOnlyList<string> Summary(Probe probe) => Unseen(probe, MapType.LruHash, []);

    /// <summary>Whether a better probe sees the changes of a sentence.</summary>
    public static bool IsBlindness(string sentence) => !sentence.StartsWith(Pointers, StringComparison.Ordinal);

    /// <param name="probe">The probe in use.</param>
    /// <param name="type">The map's type.</param>
    /// <param name="hooks">The state of the hooks.</param>
    public static IReadOnlyList<string> Unseen(Probe probe, MapType type, IReadOnlyList<HookState> hooks)
    {
        var unseen = new List<string>
        {
            type == MapType.Array
                ? $"{Pointers}, or through mmap, are not seen by any hook; a walk or a scan finds them."
                : $"{Pointers} are not seen by any hook; a walk or a scan finds them.",
        };
        if (probe == Probe.Syscall)
        {
            unseen.Add("Changes by BPF programs are not seen by the syscall probe; a scan finds them.");
            if (type.IsLru())
                unseen.Add("Evictions are not seen by the syscall probe; a scan finds them.");
            return unseen;
        }
        if (probe == Probe.Kprobe)
        {
            unseen.Add("Changes by tracing programs (kprobe, perf event, on some kernels tracepoint) are not seen by the kprobe probe; a scan finds them.");
            unseen.Add("Changes by any program that runs while a task on its CPU is preempted inside bpf(2) or a tracing program are not seen by the kprobe probe; a scan finds them.");
            if (type.IsLru())
                unseen.Add("Evictions inside bpf(2) are not seen by the kprobe probe; a scan finds them.");
        }
        foreach (var function in HookedFunction.All.Where(f => f.Types.Contains(type)))
        {
            if (hooks.FirstOrDefault(h => h.Function == function.Name) is { IsAttached: false } missing)
                unseen.Add($"{function.Name} could not be hooked ({missing.Failure}): its {function.Deed} are seen only if bpf(2) is the caller; a scan finds the others.");
        }
        return unseen;
    }
}
