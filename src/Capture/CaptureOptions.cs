using System.ComponentModel.DataAnnotations;
using Maplog.Btf;
using Maplog.Capture.Watching;
using Maplog.Events;
using Maplog.Hooking;

namespace Maplog.Capture;

/// <summary>What is captured, and how.</summary>
public sealed class CaptureOptions : IValidatableObject
{
    public const string Section = "Maplog:Capture";

    private const int LeastRing = 4096 * 16, MostRing = 1 << 30;

    /// <summary>The source under which the changes are logged: <c>lb-1</c>. No default.</summary>
    public string Source { get; set; } = "";

    /// <summary>The maps: <c>name</c>, <c>prefix*</c>, <c>pin:/sys/fs/bpf/…</c> (with <c>*</c> and <c>?</c>: each pin is a stream of its own) or <c>id:N</c>; <c>=stream</c> behind it gives the stream another name than the map's. No default.</summary>
    public List<string> Watch { get; set; } = [];

    /// <summary><c>auto</c> (the best that this kernel allows), <c>fentry</c>, <c>kprobe</c> or <c>syscall</c>. Default: auto.</summary>
    public string Probe { get; set; } = "auto";

    /// <summary>
    /// Bytes of the ring between kernel and daemon, a power of two. It holds what happens while Postgres is away: changes per
    /// second, times (90 bytes + key + value), times the seconds to last. Default: 64 MiB.
    /// </summary>
    public int RingBytes { get; set; } = 64 << 20;

    /// <summary>Most changes in one commit. Default: 5000.</summary>
    [Range(1, 100_000, ErrorMessage = "use 1 to 100000.")]
    public int BatchSize { get; set; } = 5000;

    /// <summary>
    /// How often every map is walked, to find what programs wrote through pointers and what no hook can see. From 10 ms to 1 hour.
    /// Default: 100ms.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "01:00:00", ErrorMessage = "use 10ms to 1h.")]
    public TimeSpan Fresh { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// The interval for single maps, in place of <see cref="Fresh"/>: <c>ct_map=50ms</c>, by the map's half of its stream's name.
    /// Default: none.
    /// </summary>
    public List<string> FreshOf { get; set; } = [];

    /// <summary>
    /// Fields whose change in place alone is not logged, counters and times for example: <c>ct_map:value.packets</c>, or
    /// <c>ct_map:value[48:16]</c> for 16 bytes at offset 48. They travel with the next change of other bytes. Default: none.
    /// </summary>
    public List<string> Volatile { get; set; } = [];

    /// <summary>Of the maps named here, the only fields whose change in place is logged: <c>ct_map:value.state</c>. Default: none.</summary>
    public List<string> OnChangeOf { get; set; } = [];

    /// <summary>After this time, fields that are volatile are logged by themselves. 0: never. Default: never.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00", ErrorMessage = "use 0 for never, or 1s to 1d.")]
    public TimeSpan Refresh { get; set; }

    /// <summary>
    /// Percent of one processor that all walks may take together. Where the walks of all maps need more, large maps are walked less
    /// often. 0: nothing is walked, and changes in place are never logged. Default: 5.
    /// </summary>
    [Range(0, 100, ErrorMessage = "use 0 to 100.")]
    public double WalkShare { get; set; } = 5;

    /// <summary>
    /// How often what was logged is sealed: younger events are all that a forger of the log could change unseen, and with each
    /// seal a replica can tell whether it is still what the log comes to. 1 second to 1 hour. Default: 1 minute.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00", ErrorMessage = "use 00:00:01 to 01:00:00.")]
    public TimeSpan SealEvery { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How often to look whether a stream needs a new snapshot; 00:00:00: never. Default: 5 minutes.</summary>
    public TimeSpan SnapshotEvery { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>A snapshot is written when so many events have come since the last, or since the map was opened. Default: 1000000.</summary>
    [Range(1, long.MaxValue, ErrorMessage = "use 1 or more.")]
    public long SnapshotAfter { get; set; } = 1_000_000;

    /// <summary>How many snapshots of a stream are kept, the newest; beside the one from which pruned history begins. Default: 4.</summary>
    [Range(1, 10_000, ErrorMessage = "use 1 to 10000.")]
    public int SnapshotsKept { get; set; } = 4;

    /// <summary>Most events per second that go into the index of keys, behind the head; 0: it is left to <c>maplog audit index</c>. Default: 50000.</summary>
    [Range(0, 10_000_000, ErrorMessage = "use 0 to 10000000.")]
    public int IndexRate { get; set; } = 50_000;

    /// <summary>Folder of bpffs that holds the pins of all sources of this node. Default: /sys/fs/bpf/maplog.</summary>
    public string PinRoot { get; set; } = "/sys/fs/bpf/maplog";

    /// <summary>Whether the hook stays in the kernel, recording, when the daemon ends. Default: true.</summary>
    public bool StayAttached { get; set; } = true;

    /// <summary>
    /// Whether the daemon waits while another node writes the source, and takes over when this node is promoted
    /// (<c>maplog promote</c>). Else it is refused. Default: false.
    /// </summary>
    public bool Standby { get; set; }

    /// <summary>
    /// Whether the capture is ready while live maps wait for a stream that another live map has. Their changes are not logged. Default:
    /// false.
    /// </summary>
    public bool WaitingIsReady { get; set; }

    /// <summary>Whether only the settings are checked and the live maps of the watch set are printed. Default: false.</summary>
    public bool Check { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!StreamName.IsSource(Source))
            yield return Wrong(nameof(Source), Source.Length == 0 ? "name the source of the captured maps, for example lb-1." : $"'{Source}' is not a source name: use 1 to {StreamName.MaxSourceLength} of a-z, 0-9, '-' and '_'.");
        if (Watch.Count == 0)
            yield return Wrong(nameof(Watch), "name at least one map: its name, a prefix*, pin:PATH or id:N.");
        foreach (var watch in Watch)
        {
            if (Watching.WatchedTarget.Mistake(watch) is { } mistake)
                yield return Wrong(nameof(Watch), mistake);
        }
        if (Watch.Count > NamePattern.Max)
            yield return Wrong(nameof(Watch), $"{Watch.Count} entries are too many: use at most {NamePattern.Max}, or a prefix* or pin:FOLDER/* for many maps at once.");
        foreach (var fresh in FreshOf)
        {
            if (MapFresh.Mistake(fresh) is { } mistake)
                yield return Wrong(nameof(FreshOf), mistake);
        }
        foreach (var (setting, rules) in new[] { (nameof(Volatile), Volatile), (nameof(OnChangeOf), OnChangeOf) })
        {
            foreach (var rule in rules)
            {
                if (VolatileRule.Mistake(rule) is { } mistake)
                    yield return Wrong(setting, mistake);
            }
        }
        if (Probe != "auto" && Probes.BestFirst.All(p => p.Name() != Probe))
            yield return Wrong(nameof(Probe), $"'{Probe}' is not a probe: use auto, fentry, kprobe or syscall.");
        if (RingBytes is < LeastRing or > MostRing || !int.IsPow2(RingBytes))
            yield return Wrong(nameof(RingBytes), $"{RingBytes} is not a valid size for the ring: use a power of two from {LeastRing} to {MostRing}.");
        if (SnapshotEvery < TimeSpan.Zero || SnapshotEvery > TimeSpan.FromDays(30) || SnapshotEvery > TimeSpan.Zero && SnapshotEvery < TimeSpan.FromSeconds(1))
            yield return Wrong(nameof(SnapshotEvery), $"{SnapshotEvery} is out of range: use 00:00:01 to 30.00:00:00, or 00:00:00 for never.");
        if (!Path.IsPathRooted(PinRoot))
            yield return Wrong(nameof(PinRoot), "give the whole path of a folder under /sys/fs/bpf.");
    }

    /// <summary>How the maps are walked.</summary>
    internal Pipeline.WalkOptions Walks => new(WalkShare / 100, Fresh, Refresh, MapFresh.Parse(FreshOf));

    /// <summary>Which bytes of values count as changes in place.</summary>
    internal VolatileRules Rules => new([.. Volatile.Select(r => VolatileRule.TryParse(r)!)], [.. OnChangeOf.Select(r => VolatileRule.TryParse(r)!)]);

    /// <summary>The probe that is forced, or null for the best.</summary>
    public Probe? ForcedProbe => Probes.BestFirst.Where(p => p.Name() == Probe).Select(p => (Probe?)p).FirstOrDefault();

    private static ValidationResult Wrong(string setting, string sentence) => new(sentence, [setting]);
}
