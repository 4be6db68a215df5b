using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Maplog.Kernel;

/// <summary>A program of a <see cref="BpfObject"/>; it can be used as long as the object is open.</summary>
public sealed unsafe class BpfProgram
{
    private readonly BpfObject _owner;

    internal BpfProgram(BpfObject owner, nint pointer)
    {
        _owner = owner;
        Pointer = pointer;
        Name = Native.ProgramName(pointer);
        Section = Native.ProgramSection(pointer);
        Type = Native.ProgramType(pointer);
    }

    /// <summary>The C function's name.</summary>
    public string Name { get; }

    /// <summary>The content of SEC(), for example <c>fexit/htab_map_update_elem</c>: the kind of program and its target.</summary>
    public string Section { get; }

    /// <summary>The kernel's number of the kind of program (BPF_PROG_TYPE_*).</summary>
    public int Type { get; }

    /// <summary>Whether loading the object loads it.</summary>
    public bool Autoload
    {
        get
        {
            using var held = new BpfObject.Held(_owner);
            return Native.ProgramAutoload(Pointer);
        }
    }

    internal nint Pointer { get; }

    /// <summary>
    /// Attaches the program as its section says. The program runs until the link is disposed and nothing else holds the link.
    /// </summary>
    public BpfLink Attach()
    {
        using var held = new BpfObject.Held(_owner);
        _ = Descriptor(); // not loaded: say so, before libbpf's EINVAL does
        string kind = Section.Split('/')[0];
        string target = Section.Length > kind.Length ? Section[(kind.Length + 1)..] : "";
        switch (kind)
        {
            // libbpf's own link to a perf event disables the event when it is closed, even if the link is pinned, so these links are
            // created here.
            case "kprobe" or "kretprobe":
                return AttachKprobe(target, kind == "kretprobe");
            case "tp" or "tracepoint" when target.Split('/') is [var category, var name]:
                return AttachTracepoint(category, name);
        }

        if (Type is ProgramTypes.Kprobe or ProgramTypes.Tracepoint or ProgramTypes.PerfEvent && !kind.EndsWith(".multi", StringComparison.Ordinal))
            throw new NotSupportedException($"The program {Name} hooks {Section}: among programs on perf events, only kprobe, kretprobe and tracepoint can be attached here.");

        int logged = _owner.Log.Count;
        nint link = Native.ProgramAttach(Pointer);
        if (link == 0)
            throw Refused(Section, Marshal.GetLastPInvokeError(), [.. _owner.Log.Skip(logged)]);
        try
        {
            return BpfLink.Duplicate(Native.LinkFd(link), Name);
        }
        finally
        {
            _ = Native.LinkDestroy(link); // closes libbpf's descriptor; ours holds the link
        }
    }

    /// <summary>Attaches a kprobe program to a kernel function, <c>name</c> or <c>name+offset</c>, at its entry or its return.</summary>
    public BpfLink AttachKprobe(string function, bool atReturn = false)
    {
        using var held = new BpfObject.Held(_owner);
        using PerfEventFd probe = PerfEventFd.Kprobe(function, atReturn, out int errno);
        return errno == 0 ? Hang(probe, function) : throw Refused((atReturn ? "the return of " : "") + function, errno, []);
    }

    /// <summary>
    /// Attaches a tracepoint program to a tracepoint, for example <c>syscalls</c>, <c>sys_enter_bpf</c>. Mounts tracefs if it is not
    /// mounted.
    /// </summary>
    public BpfLink AttachTracepoint(string category, string name)
    {
        using var held = new BpfObject.Held(_owner);
        Tracefs.EnsureMounted();
        using PerfEventFd point = PerfEventFd.Tracepoint(category, name, out int errno);
        return errno == 0 ? Hang(point, $"{category}/{name}") : throw Refused($"the tracepoint {category}/{name}", errno, []);
    }

    /// <summary>
    /// Pins the program, so that it stays in the kernel without this process. The pin first has a temporary name, and is then renamed.
    /// </summary>
    /// <param name="path">The path of the pin.</param>
    /// <param name="replace">Whether an existing pin is replaced, in one step.</param>
    public void Pin(string path, bool replace = false)
    {
        using var held = new BpfObject.Held(_owner);
        using var fd = new ProgramFd();
        int errno = fd.Take(Native.Duplicate(Descriptor()));
        if (errno == 0)
            errno = Bpffs.Pin(fd, path, replace);
        if (errno != 0)
            throw Bpffs.PinRefused($"the program {Name}", path, errno);
    }

    /// <summary>Runs of the program, their time, and more, as the kernel counts them.</summary>
    public ProgramInfo Info()
    {
        using var held = new BpfObject.Held(_owner);
        return ProgramInfo.OfDescriptor(Descriptor(), Name);
    }

    /// <summary>Runs the program on artificial input (BPF_PROG_TEST_RUN): a packet for a networking program.</summary>
    /// <param name="data">The packet, at least 14 bytes; empty for kinds that take none.</param>
    /// <param name="repeat">How often.</param>
    /// <returns>The result of the last run.</returns>
    public uint TestRun(ReadOnlySpan<byte> data, int repeat = 1) => TestRun(data, [], repeat);

    /// <summary>
    /// Runs the program on an artificial context: the argument of a <c>syscall</c> program, arguments of a raw tracepoint.
    /// </summary>
    public uint TestRunWithContext(ReadOnlySpan<byte> context) => TestRun([], context, 0);

    /// <summary>Runs a <c>syscall</c> program on its argument, which the program may change.</summary>
    public void Call<T>(ref T argument)
        where T : unmanaged
    {
        fixed (T* context = &argument)
            _ = TestRun([], new ReadOnlySpan<byte>(context, sizeof(T)), 0);
    }

    public override string ToString() => $"program {Name} ({Section})";

    private uint TestRun(ReadOnlySpan<byte> data, ReadOnlySpan<byte> context, int repeat)
    {
        using var held = new BpfObject.Held(_owner);
        fixed (byte* d = data, c = context)
        {
            var options = new Native.TestRunOptions
            {
                Size = (nuint)Unsafe.SizeOf<Native.TestRunOptions>(),
                DataIn = d,
                DataSizeIn = (uint)data.Length,
                ContextIn = c,
                ContextSizeIn = (uint)context.Length,
                Repeat = repeat,
            };
            int errno = -Native.ProgramTestRun(Descriptor(), &options);
            return errno == 0 ? options.Returned : throw new KernelException(
                $"Cannot test-run the program {Name}: {(errno is Errno.Enotsupp or Errno.Eopnotsupp ? "programs of this kind cannot be" : "the kernel refused it")}.", errno);
        }
    }

    private BpfLink Hang(PerfEventFd fd, string where)
    {
        BpfLink link = BpfLink.OnPerfEvent(Descriptor(), fd, Name, out int errno);
        return errno == 0 ? link : throw Refused(where, errno, []);
    }

    private int Descriptor()
    {
        int fd = Native.ProgramFd(Pointer);
        return fd >= 0 ? fd : throw new InvalidOperationException($"The program {Name} is not in the kernel: its object is not loaded, or this program was left out.");
    }

    private KernelException Refused(string where, int errno, IReadOnlyList<string> log)
    {
        string why = errno switch
        {
            Errno.Enoent or Errno.Esrch => "this kernel has no function of this name, or hides it",
            Errno.Enodev => "this kernel has no kprobes",
            Errno.Eperm or Errno.Eacces => Privileges.Explain(ProgramTypes.NeedsNetAdmin(Type) ? ["CAP_BPF", "CAP_NET_ADMIN"] : ["CAP_BPF", "CAP_PERFMON"]),
            Errno.Ebusy => "another program is attached there",
            Errno.Einval => "this kernel does not allow hooking it",
            Errno.Eopnotsupp or Errno.Enotsupp => "this kernel cannot attach programs of this kind",
            _ => "the kernel refused it",
        };
        return new KernelException($"Cannot attach the program {Name} to {where}: {why}.", errno, log);
    }
}
