using Maplog.Kernel;
using Maplog.Replicas;

namespace Maplog.Capture.Terms;

/// <summary>
/// What a daemon is called in the lease: <c>boot id/pid namespace/thread group/start ticks</c>. No other daemon was or will be
/// called the same, and whoever runs on the same node can tell that it has ended.
/// </summary>
internal static class HolderName
{
    private static readonly string Namespace = new FileInfo("/proc/self/ns/pid").LinkTarget ?? "";

    public static string Own { get; } = $"{Boot.Id}/{Namespace}/{ProcessIdentity.Current.Tgid}/{ProcessIdentity.Current.StartTicks}";

    /// <summary>What of a holder on this node is known here.</summary>
    public static HolderState StateOf(string holder)
    {
        var parts = holder.Split('/');
        if (parts.Length != 4 || !uint.TryParse(parts[2], out var tgid) || !ulong.TryParse(parts[3], out var start))
            return HolderState.Unknown;
        // Another boot is an earlier one of this node's, or another host that was given the same name.
        if (parts[0] != Boot.Id || parts[1] != Namespace)
            return HolderState.Unknown;
        return new ProcessIdentity(tgid, start).IsAlive ? HolderState.Alive : HolderState.Dead;
    }
}
