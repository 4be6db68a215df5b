using Maplog.Kernel;

namespace Maplog.Hooking;

/// <summary>
/// The kernel's counts of changes that no program of the hook could see: the kernel skips a program on a CPU on which it is already
/// running. For a function with a spare the spare's count matters, for bpf(2) the tracepoint's count. The count may include calls that were
/// seen, or calls on unwatched maps: it is never too low.
/// </summary>
internal sealed class SkipCounters
{
    private readonly List<Counter> _counters = [];

    /// <param name="probe">The probe in use.</param>
    /// <param name="links">By name, as they are pinned.</param>
    public SkipCounters(Probe probe, IEnumerable<(string Name, BpfLink Link)> links)
    {
        foreach (var (name, link) in links)
        {
            if (TypesOf(probe, name) is { Length: > 0 } types && link.CanPin)
                _counters.Add(new Counter(link.Info().ProgramId, types));
        }
    }

    /// <summary>Whether the count of a link is needed.</summary>
    public static bool Counts(string link) => link == HookProgram.Tracepoint || link.StartsWith(HookProgram.SparePrefix, StringComparison.Ordinal);

    /// <summary>By map type, how often the kernel skipped a program since the hook was attached.</summary>
    public IReadOnlyDictionary<MapType, ulong> Read()
    {
        var skips = new Dictionary<MapType, ulong>();
        foreach (var counter in _counters)
        {
            var count = counter.Read();
            foreach (var type in counter.Types)
                skips[type] = skips.GetValueOrDefault(type) + count;
        }
        return skips;
    }

    private static MapType[] TypesOf(Probe probe, string link)
    {
        if (link == HookProgram.Tracepoint)
            return probe == Probe.Fentry ? [MapType.LpmTrie] : [.. HookedFunction.All.SelectMany(f => f.Types).Distinct()];
        return Counts(link) ? [.. HookedFunction.All.Single(f => f.Name == link[HookProgram.SparePrefix.Length..]).Types] : [];
    }

    private sealed class Counter(uint program, MapType[] types)
    {
        private ulong _last;

        public MapType[] Types => types;

        /// <summary>
        /// The program's count; the last known count if the program is gone, which <see cref="CaptureHook.FindFault"/> reports.
        /// </summary>
        public ulong Read()
        {
            try
            {
                return _last = ProgramInfo.ById(program).RecursionMisses;
            }
            catch (KernelException e) when (e.Errno == Errno.Enoent)
            {
                return _last;
            }
        }
    }
}
