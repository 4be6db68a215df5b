using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Maplog.Kernel;

/// <summary>A program that this or another process pinned.</summary>
[SuppressMessage("Interoperability", "CA1419", Justification = "Only a program that is open, and known to be one, is handed out.")]
public sealed unsafe class PinnedProgram : OwnedFd
{
    private const int SocketLevel = 1; // SOL_SOCKET
    private const int AttachReusePort = 52; // SO_ATTACH_REUSEPORT_EBPF

    private readonly string _path;

    private PinnedProgram(string path) => _path = path;

    /// <summary>The kernel's description of the program when it was opened.</summary>
    public ProgramInfo Info { get; private set; } = null!;

    /// <summary>Opens the program pinned at <paramref name="path"/>.</summary>
    public static PinnedProgram Open(string path)
    {
        var program = new PinnedProgram(path);
        var options = new Native.ObjectGetOptions { Size = (nuint)Unsafe.SizeOf<Native.ObjectGetOptions>() };
        int errno = program.Take(Native.ObjectGet(path, &options));
        if (errno != 0)
        {
            throw new KernelException($"Cannot open the pinned program {path}: " + errno switch
            {
                Errno.Enoent => "nothing is pinned there.",
                Errno.Eperm or Errno.Eacces => $"{Privileges.Explain("CAP_BPF")}.",
                _ => "the kernel refused it.",
            }, errno);
        }

        try
        {
            if (!File.ReadLines($"/proc/self/fdinfo/{(int)program.handle}").Any(l => l.StartsWith("prog_type:", StringComparison.Ordinal)))
                throw new KernelException($"Cannot use {path} as a program: it is the pin of something else (a map or a link).", Errno.Einval);
            program.Info = ProgramInfo.Read(program, $"pinned at {path}");
            return program;
        }
        catch
        {
            program.Dispose();
            throw;
        }
    }

    /// <summary>Reads the kernel's description again: runs and their time.</summary>
    public ProgramInfo ReadInfo() => ProgramInfo.Read(this, $"pinned at {_path}");

    /// <summary>
    /// Makes the program choose among the sockets that share the address and port of <paramref name="socket"/>, as long as one of them
    /// exists. The socket must have SO_REUSEPORT.
    /// </summary>
    public void AttachTo(Socket socket)
    {
        bool held = false;
        try
        {
            DangerousAddRef(ref held);
            int fd = (int)handle;
            socket.SetRawSocketOption(SocketLevel, AttachReusePort, new ReadOnlySpan<byte>(&fd, sizeof(int)));
        }
        catch (SocketException e)
        {
            throw new KernelException($"Cannot attach the program {Info.Name} to a socket: " + e.NativeErrorCode switch
            {
                Errno.Einval => "it has no SO_REUSEPORT, or the program is not for sockets that share a port.",
                Errno.Eperm => "the socket's filter is locked (SO_LOCK_FILTER).",
                Errno.Enomem => "the kernel does not have enough memory, or net.core.optmem_max is too small.",
                _ => "the kernel refused it.",
            }, e.NativeErrorCode);
        }
        finally
        {
            if (held)
                DangerousRelease();
        }
    }

    public override string ToString() => $"the program pinned at {_path}";
}
