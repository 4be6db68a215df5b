using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Maplog.Kernel;

/// <summary>
/// A compiled BPF object file: it is opened, adjusted and loaded; then its programs are attached and its maps used. Disposing it closes
/// libbpf's descriptors. Pins, programs attached through a living <see cref="BpfLink"/>, and maps held as <see cref="BpfMap"/> live on.
/// Only one thread may use it at a time.
/// </summary>
[SuppressMessage("Interoperability", "CA1419", Justification = "Only an object that libbpf has opened is handed out.")]
public sealed unsafe class BpfObject : SafeHandle
{
    private readonly List<string> _log = [];
    private readonly List<BpfProgram> _programs = [];
    private readonly Dictionary<string, nint> _maps = [];

    private VmlinuxBtf? _vmlinux;

    private BpfObject(string name)
        : base(0, ownsHandle: true) => Name = name;

    public override bool IsInvalid => handle == 0;

    /// <summary>The name from its opening, for messages.</summary>
    public string Name { get; }

    /// <summary>Its programs, in the order of the file.</summary>
    public IReadOnlyList<BpfProgram> Programs => _programs;

    /// <summary>Names of its maps, including the compiler's own (.rodata, .bss).</summary>
    public IReadOnlyCollection<string> MapNames => _maps.Keys;

    /// <summary>The warnings of libbpf so far.</summary>
    public IReadOnlyList<string> Log => _log;

    /// <summary>Opens an object file in memory. Nothing is in the kernel yet.</summary>
    /// <param name="elf">The file from clang.</param>
    /// <param name="name">A name for it; the names of the compiler's own maps begin with its first characters.</param>
    /// <param name="kernelBtf">A file with the BTF of the kernel's structures, by which the programs are adjusted; null: the running kernel's.</param>
    public static BpfObject Open(ReadOnlySpan<byte> elf, string name, string? kernelBtf = null)
    {
        var opened = new BpfObject(name);
        nint utf8 = Marshal.StringToCoTaskMemUTF8(name), btf = kernelBtf is null ? 0 : Marshal.StringToCoTaskMemUTF8(kernelBtf);
        try
        {
            using var collecting = LibbpfLog.Collect(opened._log);
            var options = new Native.ObjectOpenOptions { Size = (nuint)Unsafe.SizeOf<Native.ObjectOpenOptions>(), ObjectName = (byte*)utf8, CustomBtfPath = (byte*)btf };
            int errno;
            fixed (byte* bytes = elf)
            {
                opened.SetHandle(Native.ObjectOpen(bytes, (nuint)elf.Length, &options));
                errno = opened.IsInvalid ? Marshal.GetLastPInvokeError() : 0;
            }

            if (errno != 0)
            {
                throw new KernelException(
                    $"Cannot open the BPF object {name} of {elf.Length} bytes: it is not an object file that libbpf can read; build it again.", errno, opened._log);
            }
        }
        finally
        {
            Marshal.FreeCoTaskMem(utf8);
            Marshal.FreeCoTaskMem(btf);
        }

        for (nint program = 0; (program = Native.ObjectNextProgram(opened, program)) != 0;)
            opened._programs.Add(new BpfProgram(opened, program));
        for (nint map = 0; (map = Native.ObjectNextMap(opened, map)) != 0;)
            opened._maps[Native.MapName(map)] = map;
        return opened;
    }

    /// <summary>The program with this name, which is the name of its C function.</summary>
    public BpfProgram Program(string name) => _programs.Find(p => p.Name == name)
        ?? throw new ArgumentException($"The BPF object {Name} has no program {name}; it has {string.Join(", ", _programs.Select(p => p.Name))}.", nameof(name));

    /// <summary>
    /// Whether <see cref="Load"/> loads the program. A program that is not loaded cannot be attached, and may use features that this kernel
    /// does not have.
    /// </summary>
    public void SetAutoload(string program, bool load) =>
        Check(Native.ProgramSetAutoload(Program(program).Pointer, load), $"say whether to load the program {program}");

    /// <summary>Sets the kernel function that a tracing program (fentry, fexit) hooks, not one of a module. Before <see cref="Load"/>.</summary>
    public void SetAttachTarget(string program, string function)
    {
        // If vmlinux does not have the function, libbpf opens the BTF of every module, and closes it only in a load.
        _vmlinux ??= VmlinuxBtf.Load();
        if (!_vmlinux.HasFunction(function))
        {
            throw new KernelException(
                $"Cannot let the program {program} hook {function}, in the BPF object {Name}: this kernel has no such function, or has inlined it.", Errno.Esrch);
        }

        Check(Native.ProgramSetTarget(Program(program).Pointer, 0, function), $"let the program {program} hook {function}");
    }

    /// <summary>Sets the maximum of entries of a map, for a ring buffer its bytes. Before <see cref="Load"/>.</summary>
    public void SetMaxEntries(string map, uint entries) =>
        Check(Native.MapSetMaxEntries(MapPointer(map), entries), $"let the map {map} hold {entries} entries");

    /// <summary>Sets the bytes of a map's values. Before <see cref="Load"/>.</summary>
    public void SetValueSize(string map, uint bytes) =>
        Check(Native.MapSetValueSize(MapPointer(map), bytes), $"give the map {map} values of {bytes} bytes");

    /// <summary>Uses an existing map, usually a pinned one, in place of a new one. Before <see cref="Load"/>.</summary>
    public void ReuseMap(string map, BpfMap with) =>
        Check(Native.MapReuse(MapPointer(map), with), $"use {with} as the map {map}");

    /// <summary>The constants (volatile const globals) as they will be loaded; empty if there are none.</summary>
    public byte[] Rodata()
    {
        if (RodataPointer() is not { } map)
            return [];
        using var held = new Held(this);
        nuint size;
        byte* value = Native.MapInitialValue(map, &size);
        return value == null ? [] : new ReadOnlySpan<byte>(value, (int)size).ToArray();
    }

    /// <summary>Sets all constants, in the layout of the compiler. Before <see cref="Load"/>.</summary>
    public void SetRodata(ReadOnlySpan<byte> value)
    {
        nint map = RodataPointer() ?? throw new ArgumentException($"The BPF object {Name} has no constants (.rodata).");
        int size = Rodata().Length;
        if (value.Length != size)
            throw new ArgumentException($"The constants of the BPF object {Name} have {size} bytes, but {value.Length} were given.", nameof(value));
        fixed (byte* v = value)
            Check(Native.MapSetInitialValue(map, v, (nuint)value.Length), "set its constants");
    }

    /// <summary>Creates the maps and loads the programs.</summary>
    /// <exception cref="KernelException">
    /// The kernel refused; the message ends with the last lines of libbpf and the verifier, <see cref="KernelException.Log"/> has all
    /// lines.
    /// </exception>
    public void Load()
    {
        using var collecting = LibbpfLog.Collect(_log);
        int errno = -Native.ObjectLoad(this);
        _vmlinux?.Dispose();
        _vmlinux = null;
        if (errno == 0)
            return;
        string why = errno switch
        {
            Errno.Eperm => Privileges.Explain(Needed()),
            _ when _log.Exists(l => l.Contains("BEGIN PROG LOAD LOG", StringComparison.Ordinal)) => "the verifier rejected a program",
            Errno.Esrch => "this kernel has no BTF, or lacks a function or type that a program names",
            Errno.Enomem => "the kernel does not have enough memory for it",
            Errno.Einval => "this kernel does not know something that the object uses",
            _ => "the kernel refused it",
        };
        throw new KernelException($"Cannot load the BPF object {Name}: {why}.", errno, _log);
    }

    /// <summary>A separate descriptor of a map of the loaded object; it may outlive the object.</summary>
    public BpfMap Map(string name)
    {
        nint map = MapPointer(name);
        using var held = new Held(this);
        int fd = Native.MapFd(map);
        return fd >= 0
            ? BpfMap.Duplicate(fd, $"the map {name} of the BPF object {Name}")
            : throw new InvalidOperationException($"The map {name} is not in the kernel: the BPF object {Name} is not loaded.");
    }

    /// <summary>Pins a map of the loaded object; see <see cref="BpfMap.Pin"/>.</summary>
    public void PinMap(string name, string path, bool replace = false)
    {
        using BpfMap map = Map(name);
        map.Pin(path, replace);
    }

    public override string ToString() => $"BPF object {Name}";

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _vmlinux?.Dispose();
        base.Dispose(disposing);
    }

    protected override bool ReleaseHandle()
    {
        Native.ObjectClose(handle);
        return true;
    }

    private string[] Needed()
    {
        var needed = new List<string> { "CAP_BPF" };
        var types = _programs.Where(p => p.Autoload).Select(p => p.Type).ToHashSet();
        if (types.Any(ProgramTypes.NeedsPerfmon))
            needed.Add("CAP_PERFMON");
        if (types.Any(ProgramTypes.NeedsNetAdmin))
            needed.Add("CAP_NET_ADMIN");
        return [.. needed];
    }

    private nint? RodataPointer()
    {
        foreach ((string name, nint map) in _maps)
        {
            if (name.EndsWith(".rodata", StringComparison.Ordinal))
                return map;
        }

        return null;
    }

    private nint MapPointer(string name) => _maps.TryGetValue(name, out nint map)
        ? map
        : throw new ArgumentException($"The BPF object {Name} has no map {name}; it has {string.Join(", ", _maps.Keys)}.", nameof(name));

    private void Check(int result, string doing)
    {
        if (result < 0)
        {
            throw new KernelException(
                $"Cannot {doing}, in the BPF object {Name}: {(result == -Errno.Ebusy ? "it is loaded already" : "libbpf refused it")}.", -result, _log);
        }
    }

    /// <summary>Keeps the object, and so every pointer into it, while libbpf uses one; collects the messages of libbpf.</summary>
    internal readonly ref struct Held
    {
        private readonly BpfObject _held;
        private readonly LibbpfLog.Scope _collecting;

        public Held(BpfObject bpfObject)
        {
            bool added = false;
            bpfObject.DangerousAddRef(ref added);
            _held = bpfObject;
            _collecting = LibbpfLog.Collect(bpfObject._log);
        }

        public void Dispose()
        {
            _collecting.Dispose();
            _held.DangerousRelease();
        }
    }
}
