using Maplog.Bus;
using Maplog.Capture.Observing;
using Maplog.Capture.Pipeline;
using Maplog.Capture.Watching;
using Maplog.Capture;
using Maplog.Configuration;
using Maplog.Log;
using Maplog.Observing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

var daemon = new Daemon("maplog-capture", "records and logs every change of the watched eBPF maps.",
[
    new("--check", "", "Check the settings, print the live maps that each --watch matches, and start nothing.", "Maplog:Capture:Check"),
    new("--source", "NAME", "The source under which the changes are logged.", "Maplog:Capture:Source"),
    new("--watch", "MAP", "A map: name, prefix*, pin:PATH or id:N, with =STREAM appended for another stream name; pin:FOLDER/* makes a stream for each pin. Repeatable.", "Maplog:Capture:Watch:{0}"),
    new("--waiting-is-ready", "BOOL", "Whether the capture is ready while live maps wait for a stream of another live map.", "Maplog:Capture:WaitingIsReady"),
    new("--probe", "PROBE", "auto, fentry, kprobe or syscall.", "Maplog:Capture:Probe"),
    new("--ring-bytes", "BYTES", "Size of the ring between kernel and daemon, a power of two.", "Maplog:Capture:RingBytes"),
    new("--fresh", "TIME", "How often every map is walked for changes that no hook sees, 100ms.", "Maplog:Capture:Fresh"),
    new("--fresh-of", "MAP=TIME", "The same for one map, by the map's half of its stream's name. Repeatable.", "Maplog:Capture:FreshOf:{0}"),
    new("--volatile", "MAP:FIELD", "A field whose change in place alone is not logged: ct_map:value.packets or ct_map:value[48:16]. Repeatable.", "Maplog:Capture:Volatile:{0}"),
    new("--on-change-of", "MAP:FIELD", "The only field of a map whose change in place is logged. Repeatable.", "Maplog:Capture:OnChangeOf:{0}"),
    new("--refresh", "TIME", "Time after which volatile fields are logged by themselves; 0: never.", "Maplog:Capture:Refresh"),
    new("--walk-share", "PERCENT", "Percent of one processor that all walks may take together; 0: nothing is walked.", "Maplog:Capture:WalkShare"),
    new("--snapshot-every", "TIME", "How often to check whether a stream needs a new snapshot, 00:05:00; 00:00:00 is never.", "Maplog:Capture:SnapshotEvery"),
    new("--index-rate", "N", "Maximum of events a second for the index of keys; 0: only maplog audit index fills it.", "Maplog:Capture:IndexRate"),
    new("--stay-attached", "BOOL", "Whether the hook continues to record after the daemon has ended.", "Maplog:Capture:StayAttached"),
    new("--standby", "BOOL", "Whether to wait for a promotion while another node writes the source.", "Maplog:Capture:Standby"),
    new("--pin-root", "FOLDER", "Folder of bpffs for the pins.", "Maplog:Capture:PinRoot"),
    new("--log", "CONNECTION", "Connection string of the log's Postgres.", "Maplog:Log:ConnectionString"),
    new("--bus", "URI", "Address of RabbitMQ, amqp://user:password@host/vhost.", "Maplog:Bus:Uri"),
    .. ObservingServices.Switches,
    new("--node", "NAME", "Name of this host in the log.", "Maplog:Node:Name"),
]);
return await daemon.RunAsync(args, (builder, settings) =>
{
    var capture = settings.Read<CaptureOptions>(CaptureOptions.Section);
    var log = settings.Read<LogOptions>(Sections.Log);
    var bus = settings.Read<BusOptions>(Sections.Bus);
    var node = settings.Read<NodeOptions>(Sections.Node);
    var now = new SettingsNow(builder.Configuration.Sources);
    bus.ReadAgain(() => now.Find($"{Sections.Bus}:{nameof(BusOptions.Uri)}"));
    builder.Services
        .AddSingleton(capture)
        .AddSingleton(node)
        .AddSingleton(_ => new LogStore(log, () => LogOptions.PasswordIn(now.Find($"{Sections.Log}:{nameof(LogOptions.ConnectionString)}"))) { NeedsPrimary = true })
        .AddSingleton(services => new BusPublisher(bus, services.GetRequiredService<ILogger<BusPublisher>>()))
        .AddSingleton<BatchFeed>()
        .AddSingleton<CaptureHealth>()
        .AddSingleton<CaptureMetrics>()
        .AddHostedService<FeedPublisher>() // before the capture: it stops after it
        .AddHostedService<CaptureService>();
    if (capture.Check)
        builder.Services.AddSingleton<IRunsInstead>(new WatchCheck(capture, Console.Out));
    builder.AddObserving<CaptureHealth, CaptureMetrics>(settings, "maplog-capture", node.Name, CaptureMetrics.MeterName);
});
