using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Maplog.Kernel;

/// <summary>
/// The attachment of a program. When the last descriptor and the last pin of a link are gone, the kernel detaches the program: disposing an
/// unpinned link detaches it, disposing a pinned link does not.
/// </summary>
[SuppressMessage("Interoperability", "CA1419", Justification = "Only a link that holds is handed out.")]
public sealed unsafe class BpfLink : OwnedFd
{
    private const uint SetProgram = 0x40042408; // PERF_EVENT_IOC_SET_BPF
    private const uint Enable = 0x2400; // PERF_EVENT_IOC_ENABLE
    private const int PerfEventAttach = 41; // BPF_PERF_EVENT

    private string _what;

    private BpfLink(string what) => _what = what;

    /// <summary>
    /// Whether the link can be pinned. Before kernel 5.15, kprobes and tracepoints cannot: they have no link but only the perf event, so
    /// these programs run only as long as this process.
    /// </summary>
    public bool CanPin { get; private set; } = true;

    /// <summary>Opens the link pinned at <paramref name="path"/>.</summary>
    public static BpfLink OpenPinned(string path)
    {
        var link = new BpfLink($"the link pinned at {path}");
        var options = new Native.ObjectGetOptions { Size = (nuint)Unsafe.SizeOf<Native.ObjectGetOptions>() };
        int errno = link.Take(Native.ObjectGet(path, &options));
        if (errno != 0)
        {
            string why = errno switch
            {
                Errno.Enoent => "nothing is pinned there",
                Errno.Eacces when !Bpffs.Holds(path) || Directory.Exists(path) => "that is not a pin",
                Errno.Eperm or Errno.Eacces => Privileges.Explain("CAP_BPF"),
                _ => "the kernel refused it",
            };
            throw new KernelException($"Cannot open the pinned link {path}: {why}.", errno);
        }

        try
        {
            if (!File.ReadLines($"/proc/self/fdinfo/{(int)link.handle}").Any(l => l.StartsWith("link_type:", StringComparison.Ordinal)))
                throw new KernelException($"Cannot use {path} as a link: it is the pin of something else (a map or a program).", Errno.Einval);
            return link;
        }
        catch
        {
            link.Dispose();
            throw;
        }
    }

    /// <summary>Runs an iterator from its beginning to its end; its program is called for each of what it goes over.</summary>
    public void Iterate()
    {
        using var run = new IteratorFd();
        int errno = run.Take(Native.IteratorCreate(this));
        byte* nothing = stackalloc byte[64];
        for (nint read = 1; errno == 0 && read > 0;)
        {
            read = Native.Read(run, nothing, 64);
            errno = read < 0 ? Marshal.GetLastPInvokeError() : 0;
        }
        if (errno != 0)
            throw new KernelException($"Cannot iterate by {_what}: the kernel refused it.", errno);
    }

    /// <summary>Whether the kernel still has a link of this id (CAP_SYS_ADMIN), because a descriptor or a pin holds it.</summary>
    public static bool Exists(uint id)
    {
        uint next;
        int errno = -Native.LinkNextId(id - 1, &next);
        return errno switch
        {
            0 => next == id,
            Errno.Enoent => false,
            Errno.Eperm => throw new KernelException($"Cannot look up link {id}: {Privileges.Explain("CAP_SYS_ADMIN")}.", errno),
            _ => throw new KernelException($"Cannot look up link {id}: the kernel refused it.", errno),
        };
    }

    /// <summary>The kernel's description of the link. EINVAL if there is none; see <see cref="CanPin"/>.</summary>
    public LinkInfo Info()
    {
        Native.RawLinkInfo raw = default;
        uint size = (uint)sizeof(Native.RawLinkInfo);
        int errno = -Native.ObjectInfo(this, &raw, &size);
        return errno == 0
            ? new LinkInfo(raw.Id, (int)raw.Type, raw.ProgramId)
            : throw new KernelException($"Cannot read the description of {_what}: the kernel has no link for it.", errno);
    }

    /// <summary>
    /// Pins the link, so that the program continues without this process. The pin first has a temporary name, and is then renamed.
    /// </summary>
    public void Pin(string path, bool replace = false)
    {
        if (!TryPin(path, out int errno, replace))
        {
            throw CanPin
                ? Bpffs.PinRefused(_what, path, errno)
                : new KernelException($"Cannot pin {_what} at {path}: before kernel 5.15 kprobes and tracepoints have no link to pin; they end with this process.", errno);
        }
    }

    /// <summary>Pins the link, and returns a refusal as a result (EINVAL if <see cref="CanPin"/> is false).</summary>
    public bool TryPin(string path, out int errno, bool replace = false)
    {
        errno = CanPin ? Bpffs.Pin(this, path, replace) : Errno.Einval;
        if (errno == 0)
            _what = $"the link pinned at {path}";
        return errno == 0;
    }

    /// <summary>
    /// Detaches now, even if other processes hold the link. Only links of networking programs support this: for the others (false), unpin
    /// the link and dispose all of its holders.
    /// </summary>
    public bool Detach()
    {
        int errno = -Native.LinkDetach(this);
        return errno switch
        {
            0 => true,
            Errno.Eopnotsupp or Errno.Enotsupp or Errno.Einval => false,
            _ => throw new KernelException($"Cannot detach {_what}: {(errno == Errno.Eperm ? Privileges.Explain("CAP_BPF") : "the kernel refused it")}.", errno),
        };
    }

    public override string ToString() => _what;

    /// <summary>A second descriptor of a link of libbpf.</summary>
    internal static BpfLink Duplicate(int descriptor, string program)
    {
        var link = new BpfLink($"the link of program {program}");
        int errno = link.Take(Native.Duplicate(descriptor));
        return errno == 0 ? link : throw new KernelException($"Cannot duplicate the descriptor of {link}.", errno);
    }

    /// <summary>
    /// Attaches a program to a perf event. From 5.15 on, a link holds the event; before, the event's own descriptor is the attachment.
    /// </summary>
    internal static BpfLink OnPerfEvent(int program, PerfEventFd perfEvent, string name, out int errno)
    {
        var link = new BpfLink($"the link of program {name}");
        errno = link.Take(Native.LinkCreate(program, perfEvent, PerfEventAttach, null));
        if (errno == Errno.Einval)
        {
            errno = -Native.IoControl(perfEvent, SetProgram, program);
            if (errno == 0)
                errno = link.Take(Native.Duplicate((int)perfEvent.DangerousGetHandle()));
            link.CanPin = false;
        }

        if (errno == 0)
            errno = -Native.IoControl(perfEvent, Enable, 0);
        if (errno != 0)
            link.Dispose();
        return link;
    }
}
