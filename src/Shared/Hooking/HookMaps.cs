using Maplog.Kernel;

namespace Maplog.Hooking;

/// <summary>The maps between the hook and the daemon, as bpf/watch.h declares them.</summary>
internal sealed class HookMaps : IDisposable
{
    /// <summary>The ring is pinned last, under a name with layout and probe: its pin means that all others exist.</summary>
    private const string RingPrefix = "ring_";

    private HookMaps(Func<string, BpfMap> open, BpfMap accounts)
    {
        Accounts = accounts;
        Ring = open("maplog_ring");
        Verdicts = open("maplog_verdicts");
        Beyond = open("maplog_beyond");
        Names = open("maplog_names");
        Losses = open("maplog_losses");
        Config = open("maplog_config");
    }

    public BpfMap Ring { get; }

    public BpfMap Verdicts { get; }

    public BpfMap Beyond { get; }

    public BpfMap Names { get; }

    public BpfMap Losses { get; }

    public BpfMap Config { get; }

    /// <summary>The daemons' own map: the losses that the log reports.</summary>
    public BpfMap Accounts { get; }

    private IEnumerable<(string Name, BpfMap Map)> Steering =>
        [("verdicts", Verdicts), ("beyond", Beyond), ("names", Names), ("losses", Losses), ("config", Config), ("accounts", Accounts)];

    public static HookMaps Of(BpfObject loaded) =>
        new(loaded.Map, BpfMap.Create("maplog_accounts", MapType.Array, sizeof(int), Accounted.Size, CaptureHook.Slots));

    /// <summary>The pinned maps, or null if there are none with this layout and probe.</summary>
    public static HookMaps? OpenPinned(string folder, Probe probe) =>
        File.Exists(RingPin(folder, probe)) && File.Exists(Path.Combine(folder, "accounts"))
            ? new HookMaps(
                name => BpfMap.OpenPinned(name == "maplog_ring" ? RingPin(folder, probe) : Path.Combine(folder, name["maplog_".Length..])),
                BpfMap.OpenPinned(Path.Combine(folder, "accounts")))
            : null;

    /// <summary>Whether a hook is pinned in the folder, of any layout and probe.</summary>
    public static bool IsAnyPinned(string folder) => Directory.Exists(folder) && Directory.EnumerateFiles(folder, RingPrefix + "*").Any();

    public void Pin(string folder, Probe probe)
    {
        foreach (var (name, map) in Steering)
            map.Pin(Path.Combine(folder, name), replace: true);
        Ring.Pin(RingPin(folder, probe), replace: true);
    }

    /// <summary>Replaces the watched names; a name in both sets is never missing.</summary>
    public void SetNames(IReadOnlyList<NamePattern> names)
    {
        var old = new List<byte[]>();
        byte[] keys = new byte[NamePattern.Max * NamePattern.Size], values = new byte[NamePattern.Max * sizeof(uint)];
        var scan = Names.Scan(NamePattern.Max);
        for (int count; (count = scan.Next(keys, values)) > 0;)
        {
            for (var i = 0; i < count; i++)
                old.Add(keys.AsSpan(i * NamePattern.Size, NamePattern.Size).ToArray());
        }
        var wanted = names.Select(n => n.ToBytes()).ToList();
        foreach (var name in wanted)
            Names.Update(name, BitConverter.GetBytes(1));
        foreach (var name in old.Where(o => !wanted.Any(w => w.AsSpan().SequenceEqual(o))))
            Names.Delete(name);
    }

    public void Dispose()
    {
        Ring.Dispose();
        foreach (var (_, map) in Steering)
            map.Dispose();
    }

    public static string RingPin(string folder, Probe probe) => Path.Combine(folder, $"{RingPrefix}v{CaptureImage.Layout}_{probe.Name()}");
}
