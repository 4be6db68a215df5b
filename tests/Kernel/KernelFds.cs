namespace Maplog.Tests.Kernel;

/// <summary>The descriptors of this process that stand for BPF objects and perf events.</summary>
public static class KernelFds
{
    public static IReadOnlyList<string> Open() =>
        [.. Directory.EnumerateFileSystemEntries("/proc/self/fd").Select(Target).Where(t => t.StartsWith("anon_inode:bpf", StringComparison.Ordinal)
            || t.StartsWith("anon_inode:btf", StringComparison.Ordinal) || t.Contains("perf_event", StringComparison.Ordinal))];

    private static string Target(string fd)
    {
        try
        {
            return new FileInfo(fd).LinkTarget ?? "";
        }
        catch (IOException)
        {
            return ""; // the descriptor that read the folder
        }
    }
}
