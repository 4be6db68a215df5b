using Maplog.Kernel;

namespace Maplog.Hooking;

/// <summary>A program of bpf/capture.bpf.c and its hooked function.</summary>
internal sealed record HookProgram(BpfProgram Program, string Function, HookRole Role)
{
    /// <summary>The tracepoint at the end of the system call, in place of a function.</summary>
    public const string Tracepoint = "sys_exit_bpf";

    /// <summary>The prefix of the link name of a spare.</summary>
    public const string SparePrefix = "spare_";

    private const string Unlooped = "unlooped_";

    /// <summary>The name of its link in the pins, without a dot.</summary>
    public string LinkName => Role switch
    {
        HookRole.Return => "return_" + Function,
        HookRole.Spare => SparePrefix + Function,
        _ => Function,
    };

    /// <summary>Everything that a probe hooks, if the kernel has all of it.</summary>
    public static IEnumerable<string> Functions(Probe probe) => probe switch
    {
        Probe.Fentry => HookedFunction.All.Select(f => f.Name),
        Probe.Kprobe => HookedFunction.All.Where(f => f.HasKprobe).Select(f => f.Name).Append(Tracepoint),
        _ => [Tracepoint],
    };

    /// <summary>
    /// The programs to load. If the kernel does not have a function, no changes can be lost there (before 5.14 there is no
    /// lookup-and-delete in a hash), so its program is left out. Spares come first: the kernel runs the program that was attached last
    /// first.
    /// </summary>
    public static IReadOnlyList<HookProgram> Choose(BpfObject image, Probe probe, VmlinuxBtf vmlinux)
    {
        var unlooped = !vmlinux.HasFunction("bpf_loop");
        var chosen = new List<HookProgram>();
        foreach (var program in image.Programs)
        {
            var slash = program.Section.LastIndexOf('/');
            var (kind, function) = (program.Section[..program.Section.IndexOf('/', StringComparison.Ordinal)], program.Section[(slash + 1)..]);
            var wanted = kind switch
            {
                "fexit" => probe == Probe.Fentry && vmlinux.HasFunction(function),
                "kprobe" or "kretprobe" => probe == Probe.Kprobe,
                _ => true,
            };
            var isTwin = program.Name.StartsWith(Unlooped, StringComparison.Ordinal);
            var hasTwin = isTwin || image.Programs.Any(p => p.Name == Unlooped + function);
            var role = kind == "kretprobe" ? HookRole.Return : program.Name.Contains(SparePrefix, StringComparison.Ordinal) ? HookRole.Spare : HookRole.First;
            if (wanted && (!hasTwin || isTwin == unlooped))
                chosen.Add(new HookProgram(program, function, role));
        }
        return [.. chosen.OrderByDescending(p => p.Role == HookRole.Spare)];
    }
}

/// <summary>The role of a program on its function.</summary>
internal enum HookRole
{
    First,
    Spare,
    Return,
}
