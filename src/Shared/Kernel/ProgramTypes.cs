namespace Maplog.Kernel;

/// <summary>The kinds of programs (enum bpf_prog_type) that this layer distinguishes.</summary>
internal static class ProgramTypes
{
    public const int Kprobe = 2;
    public const int Tracepoint = 5;
    public const int PerfEvent = 7;

    /// <summary>Programs that can read kernel memory: kprobe, tracepoint, perf event, raw tracepoint, tracing, LSM, extension.</summary>
    public static bool NeedsPerfmon(int type) => type is Kprobe or Tracepoint or PerfEvent or 17 or 24 or 26 or 28 or 29;

    /// <summary>Programs that see packets: tc, XDP, cgroup and socket hooks, flow dissector, lightweight tunnels, sk_lookup.</summary>
    public static bool NeedsNetAdmin(int type) => type is 3 or 4 or 6 or (>= 8 and <= 16) or (>= 18 and <= 22) or 25 or 30;
}
