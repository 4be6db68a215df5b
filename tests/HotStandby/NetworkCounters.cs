namespace Maplog.Tests.HotStandby;

/// <summary>What this network namespace's kernel has counted (/proc/net/netstat, TcpExt).</summary>
internal static class NetworkCounters
{
    public static long Read(string name)
    {
        var lines = File.ReadLines("/proc/thread-self/net/netstat").Where(l => l.StartsWith("TcpExt:", StringComparison.Ordinal)).Select(l => l.Split(' ')).ToList();
        var column = Array.IndexOf(lines[0], name);
        return column < 0 ? 0 : long.Parse(lines[1][column]);
    }
}
