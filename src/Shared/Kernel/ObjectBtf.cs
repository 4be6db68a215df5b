namespace Maplog.Kernel;

/// <summary>The BTF in an object file, as a compiler writes it (<c>clang -g -target bpf</c>), or in a file of raw BTF.</summary>
public static class ObjectBtf
{
    /// <summary>The raw BTF, as in a .BTF section.</summary>
    /// <exception cref="KernelException">The file cannot be read, or has no BTF.</exception>
    public static unsafe byte[] Read(string path)
    {
        var lines = new List<string>();
        using var _ = LibbpfLog.Collect(lines);
        nint btf = Native.BtfParse(path, 0);
        if (btf == 0)
        {
            int errno = System.Runtime.InteropServices.Marshal.GetLastPInvokeError();
            string reason = errno == Errno.Enoent
                ? "there is no such file, or it has no BTF: compile it with -g"
                : "it is neither an object file with a .BTF section nor raw BTF";
            throw new KernelException($"Cannot read the BTF of {path}: {reason}.", errno);
        }

        try
        {
            byte* raw = Native.BtfRawData(btf, out uint size);
            return new ReadOnlySpan<byte>(raw, checked((int)size)).ToArray();
        }
        finally
        {
            Native.BtfFree(btf);
        }
    }
}
