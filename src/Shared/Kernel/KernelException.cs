namespace Maplog.Kernel;

/// <summary>
/// The kernel (or libbpf) refused. The message is a sentence: the attempt, the object, the reason, and what to do; it ends with the errno's
/// name.
/// </summary>
public sealed class KernelException : Exception
{
    public KernelException(string message, int errno)
        : base($"{message} ({Kernel.Errno.Name(errno)})") => Errno = errno;

    /// <summary>Several refusals at once, each with its own errno in the message.</summary>
    public KernelException(string message)
        : base(message)
    {
    }

    /// <summary>With the messages of libbpf: this message ends with their last lines.</summary>
    internal KernelException(string message, int errno, IReadOnlyList<string> log)
        : base($"{message} ({Kernel.Errno.Name(errno)}){LibbpfLog.Tail(log)}") => (Errno, Log) = (errno, [.. log]);

    /// <summary>The error number, positive; see <see cref="Kernel.Errno"/>.</summary>
    public int Errno { get; }

    /// <summary>The lines of libbpf and the verifier; the message has the last of them.</summary>
    public IReadOnlyList<string> Log { get; } = [];

    /// <summary>For a batch: how many entries were done before the refused one.</summary>
    public int Done { get; init; }
}
