using Maplog.Kernel;

namespace Maplog.HotStandby;

/// <summary>The compiled bpf/hot_standby.bpf.c, which is embedded in this assembly, and the names in it.</summary>
internal static class StandbyImage
{
    public const string Group = "standby_group";
    public const string Members = "standby_members";
    public const string Counts = "standby_counts";
    public const string Sockets = "standby_sockets";
    public const string Ports = "standby_ports";
    public const string Migrate = "standby_migrate";
    public const string Select = "standby_select";

    public static BpfObject Open()
    {
        using var stream = typeof(StandbyImage).Assembly.GetManifestResourceStream("hot_standby.bpf.o")
            ?? throw new InvalidOperationException("The BPF object hot_standby.bpf.o is missing from this build of maplog: build it with `make build`.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return BpfObject.Open(bytes, "hot_standby");
    }
}
