using Maplog.Hooking;
using Maplog.Kernel;

namespace Maplog.Cli.Checks;

/// <summary>Each probe, tried by attaching it for a moment without watched maps; then, hook by hook, what the best probe reaches.</summary>
internal sealed class ProbeCheckup(HostFiles files) : ICheckup
{
    /// <summary>Enough for a moment in which nothing is recorded.</summary>
    private const int RingBytes = 64 * 1024;

    private readonly Findings _found = new("probes");
    private readonly Findings _hooks = new("hooks");

    public string Area => "probes";

    public Task<IReadOnlyList<Check>> RunAsync(CancellationToken cancellation)
    {
        var trials = Probes.BestFirst.Select(Try).ToList();
        var best = trials.FirstOrDefault(t => t.Hooks is not null);
        foreach (var trial in trials)
            Report(trial, best);
        if (best is not null)
        {
            ReportCoverage(best);
            ReportHooks(best);
        }
        return Task.FromResult<IReadOnlyList<Check>>([.. _found.All, .. _hooks.All]);
    }

    private static Trial Try(Probe probe)
    {
        try
        {
            using var hook = CaptureHook.Attach(new HookOptions { Probe = probe, RingBytes = RingBytes });
            return new Trial(probe, hook.Hooks, "");
        }
        catch (KernelException e)
        {
            // The attacher's sentence about a single probe begins with both names, which are next to it here.
            return new Trial(probe, null, e.Message.Replace($"No probe could be attached. {probe.Name()}: ", "", StringComparison.Ordinal));
        }
    }

    private void Report(Trial trial, Trial? best)
    {
        var name = trial.Probe.Name();
        if (trial.Hooks is { } hooks)
            _found.Ok(name, $"works: {hooks.Count(h => h.IsAttached)} of {hooks.Count} hooks attached{(trial == best ? "; capture uses this probe" : "")}");
        else if (best is not null && trial.Probe > best.Probe)
            _found.Ok(name, $"does not work here, but is not needed: {trial.Failure}");
        else if (best is not null)
            _found.Warn(name, $"does not work here: {trial.Failure}", $"Capture uses {best.Probe.Name()} instead, which sees less.");
        else
            _found.Fail(name, $"does not work here: {trial.Failure}", "See the kernel and the privileges above.");
    }

    private void ReportCoverage(Trial best)
    {
        foreach (var sentence in Coverage.Summary(best.Probe))
        {
            // No kernel lets a hook see writes through pointers, so this is not a problem of this kernel.
            if (best.Probe == Probe.Fentry)
                _found.Ok("coverage", sentence);
            else
                _found.Warn("coverage", sentence, null);
        }
    }

    private void ReportHooks(Trial best)
    {
        using var btf = VmlinuxBtf.TryLoad();
        var symbols = Symbols();
        foreach (var function in HookedFunction.All)
        {
            var places = $"BTF {YesOrNo(btf?.HasFunction(function.Name) == true)}, kallsyms {YesOrNo(symbols.Contains(function.Name))}";
            var state = best.Hooks!.FirstOrDefault(h => h.Function == function.Name);
            if (state is { IsAttached: false } && btf?.HasFunction(function.Name) != false)
                _hooks.Warn(function.Name, $"not hooked ({places}): {state.Failure}", $"On {Maps(function)} maps, only the scan finds {function.Deed} by BPF programs.");
            else if (state is { IsAttached: true })
                _hooks.Ok(function.Name, $"hooked by {best.Probe.Name()} ({places})");
            else
                _hooks.Ok(function.Name, $"not hooked by {best.Probe.Name()} ({places})");
        }
    }

    private HashSet<string> Symbols()
    {
        var wanted = HookedFunction.All.Select(f => f.Name).ToHashSet();
        return [.. files.Lines("/proc/kallsyms").Select(line => line.Split([' ', '\t'])).Where(parts => parts.Length >= 3 && wanted.Contains(parts[2])).Select(parts => parts[2])];
    }

    private static string Maps(HookedFunction function) => string.Join(" and ", function.Types.Select(t => Output.MapTypeNames.Of((int)t)));

    private static string YesOrNo(bool yes) => yes ? "yes" : "no";

    /// <param name="Probe">The probe.</param>
    /// <param name="Hooks">The functions that could be hooked; null: the probe does not work.</param>
    /// <param name="Failure">The reason in that case.</param>
    private sealed record Trial(Probe Probe, IReadOnlyList<HookState>? Hooks, string Failure);
}
