using Maplog.Kernel;

namespace Maplog.Hooking;

/// <summary>What the replicators of a node tell its hook: who they are, and which maps are replicas.</summary>
public static class ReplicaPins
{
    private const int KeySize = 4, ValueSize = 8;
    private const uint Most = 1024;

    /// <summary>Pin of the map thread group -> start time (clock ticks since boot) of the replicators.</summary>
    public static string Writers(string pinRoot) => Path.Combine(pinRoot, "writers");

    /// <summary>Pin of the map of replica map ids.</summary>
    public static string Replicas(string pinRoot) => Path.Combine(pinRoot, "replicas");

    /// <summary>Makes the writers' map if this is the first to need it.</summary>
    public static string EnsureWriters(string pinRoot) => Ensure(Writers(pinRoot), "maplog_writers");

    public static string EnsureReplicas(string pinRoot) => Ensure(Replicas(pinRoot), "maplog_replicas");

    private static string Ensure(string path, string name)
    {
        if (File.Exists(path))
            return path;
        Bpffs.EnsureMounted(Path.GetDirectoryName(path)!);
        using var map = BpfMap.Create(name, MapType.Hash, KeySize, ValueSize, Most);
        try
        {
            map.Pin(path);
        }
        catch (KernelException e) when (e.Errno == Errno.Eexist)
        {
            // Another daemon was first; its map serves both.
        }
        return path;
    }
}
