using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Maplog.Kernel;

/// <summary>
/// The messages of libbpf while this thread calls it. libbpf has one print function for the process and calls it on the thread that called
/// libbpf, so each thread collects its own messages.
/// </summary>
internal static unsafe class LibbpfLog
{
    private const string Prefix = "libbpf: ";
    private const int Warning = 0, Information = 1;

    /// <summary>LIBBPF_WARN and LIBBPF_INFO; the debug level is dropped before it is formatted.</summary>
    private static readonly nint Previous = Native.SetPrint(&Print);

    private const int MostInMessage = 24;

    /// <summary>From 5.11 on BPF memory does not count against RLIMIT_MEMLOCK, and libbpf's guess about it misleads.</summary>
    private static readonly bool HasMemoryLimit = Environment.OSVersion.Version < new Version(5, 11);

    [ThreadStatic]
    private static List<string>? _lines;

    /// <summary>From now on libbpf's warnings on this thread go into <paramref name="lines"/>.</summary>
    public static Scope Collect(List<string> lines)
    {
        _ = Previous;
        List<string>? before = _lines;
        _lines = lines;
        return new Scope(before);
    }

    /// <summary>The last lines, for a message: a verifier's verdict is at its log's end.</summary>
    public static string Tail(IReadOnlyList<string> lines) =>
        lines.Count == 0 ? "" : "\nlibbpf said:\n  " + string.Join("\n  ", lines.Skip(Math.Max(0, lines.Count - MostInMessage)));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Print(int level, byte* format, void* arguments)
    {
        if (level is not (Warning or Information) || _lines is not { } lines)
            return 0;
        byte* text = null;
        try
        {
            int length = Native.Format(&text, format, arguments);
            if (length <= 0)
                return 0;
            // One call may contain a verifier's whole log.
            foreach (string line in Marshal.PtrToStringUTF8((nint)text, length).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                if (HasMemoryLimit || !line.Contains("'ulimit -l'", StringComparison.Ordinal))
                    lines.Add((line.StartsWith(Prefix, StringComparison.Ordinal) ? line[Prefix.Length..] : line).TrimEnd());
            }

            return length;
        }
#pragma warning disable CA1031 // An exception must not pass through libbpf's frames; a line of its log is lost instead.
        catch (Exception)
        {
            return 0;
        }
#pragma warning restore CA1031
        finally
        {
            if (text != null)
                Native.Free(text);
        }
    }

    public readonly ref struct Scope(List<string>? before)
    {
        public void Dispose() => _lines = before;
    }
}
