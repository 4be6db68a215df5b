using Maplog.Kernel;

namespace Maplog.Hooking;

/// <summary>Finds the best probe that works here, attaches it and pins it.</summary>
internal static class HookAttacher
{
    private const string LinkPrefix = "link_";

    public static CaptureHook Attach(HookOptions options)
    {
        IReadOnlyList<Probe> wanted = options.Probe is { } one ? [one] : Probes.BestFirst;
        if (options.PinFolder is { } folder)
        {
            Bpffs.EnsureMounted(folder);
            if (wanted.Select(probe => Resume(options, folder, probe)).FirstOrDefault(hook => hook is not null) is { } resumed)
                return resumed;
            UnpinHook(folder);
        }
        var refused = new List<ProbeTrial>();
        foreach (var probe in wanted)
        {
            try
            {
                return Attach(options, probe, refused);
            }
            catch (KernelException e)
            {
                refused.Add(new ProbeTrial(probe, e.Message));
                if (options.PinFolder is not null)
                    UnpinHook(options.PinFolder);
            }
        }
        throw new KernelException($"No probe could be attached. {string.Join(" ", refused)}");
    }

    /// <summary>Removes every pin of the folder, programs first: afterwards nothing is hooked.</summary>
    public static IReadOnlyList<string> Unpin(string folder) => Unpin(folder, _ => true);

    // The owner's signature and the committed versions outlive the hook.
    private static void UnpinHook(string folder) =>
        Unpin(folder, pin => Path.GetFileName(pin) is not (HookClaim.Pin or CommittedHeads.Pin));

    private static List<string> Unpin(string folder, Func<string, bool> isMeant)
    {
        if (!Directory.Exists(folder))
            return [];
        var pins = Directory.GetFiles(folder).Where(isMeant).OrderByDescending(IsLink).ToList();
        foreach (var pin in pins)
            Bpffs.Unpin(pin);
        return pins;
    }

    /// <summary>Removes the pins of the programs.</summary>
    public static void UnpinLinks(string folder)
    {
        foreach (var pin in Directory.Exists(folder) ? Directory.GetFiles(folder).Where(IsLink) : [])
            Bpffs.Unpin(pin);
    }

    private static bool IsLink(string pin) => Path.GetFileName(pin).StartsWith(LinkPrefix, StringComparison.Ordinal);

    private static CaptureHook? Resume(HookOptions options, string folder, Probe probe)
    {
        var maps = HookMaps.OpenPinned(folder, probe);
        if (maps is null)
            return null;
        if (maps.Ring.Info.MaxEntries != (uint)options.RingBytes)
        {
            maps.Dispose();
            return null;
        }
        var pinned = Directory.GetFiles(folder).Where(IsLink).Select(pin => Path.GetFileName(pin)[LinkPrefix.Length..]).ToHashSet();
        if (pinned.Count == 0)
        {
            // The process that removed the programs did not get to the ring.
            maps.Dispose();
            return null;
        }
        var hooks = HookProgram.Functions(probe)
            .Select(f => new HookState(f, pinned.Contains(f) || pinned.Contains("return_" + f) ? null : "it was not hooked when the hook was pinned")).ToList();
        var links = pinned.Select(name => (Name: name, Link: BpfLink.OpenPinned(Path.Combine(folder, LinkPrefix + name)))).ToList();
        var skips = new SkipCounters(probe, links.Where(l => SkipCounters.Counts(l.Name)));
        var pins = PinsOf(folder, probe, links);
        links.ForEach(l => l.Link.Dispose());
        return new CaptureHook(probe, maps, skips, [], hooks, [], pins, isResumed: true);
    }

    private static CaptureHook Attach(HookOptions options, Probe probe, IReadOnlyList<ProbeTrial> refused)
    {
        var links = new Dictionary<string, BpfLink>();
        HookMaps? maps = null;
        using var image = BpfObject.Open(CaptureImage.Read(), "maplog");
        try
        {
            using var vmlinux = VmlinuxBtf.Load();
            var programs = HookProgram.Choose(image, probe, vmlinux);
            foreach (var program in image.Programs)
                image.SetAutoload(program.Name, programs.Any(p => p.Program == program));
            Prepare(image, options);
            image.Load();
            maps = HookMaps.Of(image);
            maps.SetNames(options.Names); // before the first program runs, so that no change of a watched name goes unjudged
            var hooks = HookPrograms(programs, probe, maps, links);
            var canPin = options.PinFolder is not null && links.Values.All(link => link.CanPin);
            if (canPin)
                Pin(options.PinFolder!, probe, maps, links);
            var skips = new SkipCounters(probe, links.Select(l => (l.Key, l.Value)));
            var pins = canPin ? PinsOf(options.PinFolder!, probe, links.Select(l => (l.Key, l.Value))) : null;
            return new CaptureHook(probe, maps, skips, [.. links.Values], hooks, [.. refused], pins, isResumed: false);
        }
        catch
        {
            foreach (var link in links.Values)
                link.Dispose();
            maps?.Dispose();
            throw;
        }
    }

    private static HookPins PinsOf(string folder, Probe probe, IEnumerable<(string Name, BpfLink Link)> links) =>
        new(HookMaps.RingPin(folder, probe), links.Select(l => (l.Name, l.Link.Info().Id)));

    private static void Prepare(BpfObject image, HookOptions options)
    {
        image.SetMaxEntries("maplog_ring", (uint)options.RingBytes);
        var constants = image.Rodata();
        HookConstants.OfThisKernel().Write(constants);
        image.SetRodata(constants);
        if (options.WritersPin is null)
            return;
        using var writers = BpfMap.OpenPinned(options.WritersPin);
        image.ReuseMap("maplog_writers", writers);
    }

    private static List<HookState> HookPrograms(IReadOnlyList<HookProgram> programs, Probe probe, HookMaps maps, Dictionary<string, BpfLink> links)
    {
        var hooks = new List<HookState>();
        // With fentry the tracepoint costs every bpf(2) call, so it is attached only for functions that fentry cannot hook.
        foreach (var group in programs.Where(p => p.Function != HookProgram.Tracepoint || probe != Probe.Fentry).GroupBy(p => p.Function))
            hooks.Add(new HookState(group.Key, HookFunction(group, links)));
        if (hooks.All(h => !h.IsAttached) || !hooks[0].IsAttached)
            throw new KernelException(hooks[0].Failure!);

        uint bySyscall = probe == Probe.Fentry ? 0 : uint.MaxValue;
        foreach (var missing in HookedFunction.All.Where(f => f.Types is [MapType.LpmTrie] && hooks.Any(h => h.Function == f.Name && !h.IsAttached)))
            bySyscall |= 1u << (int)missing.Types[0];
        if (probe == Probe.Fentry && bySyscall != 0)
        {
            foreach (var half in links.Keys.Where(k => k.Contains("trie_", StringComparison.Ordinal)).ToList())
            {
                links.Remove(half, out var link);
                link!.Dispose();
            }
            var tracepoint = programs.Where(p => p.Function == HookProgram.Tracepoint).GroupBy(p => p.Function).Single();
            hooks.Add(new HookState(HookProgram.Tracepoint, HookFunction(tracepoint, links)));
        }
        maps.Config.Update(BitConverter.GetBytes(0), BitConverter.GetBytes(bySyscall));
        return hooks;
    }

    /// <returns>Why the function is not hooked, or null.</returns>
    private static string? HookFunction(IEnumerable<HookProgram> programs, Dictionary<string, BpfLink> links)
    {
        var mine = new List<string>();
        foreach (var program in programs)
        {
            try
            {
                links.Add(program.LinkName, program.Program.Attach());
                mine.Add(program.LinkName);
            }
            catch (KernelException e)
            {
                // Half of a kprobe pair would fill the frames of calls without ever seeing their return.
                foreach (var name in mine)
                {
                    links.Remove(name, out var link);
                    link!.Dispose();
                }
                return e.Message;
            }
        }
        return null;
    }

    private static void Pin(string folder, Probe probe, HookMaps maps, Dictionary<string, BpfLink> links)
    {
        foreach (var (name, link) in links)
            link.Pin(Path.Combine(folder, LinkPrefix + name), replace: true);
        maps.Pin(folder, probe);
    }
}
