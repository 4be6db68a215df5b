using Maplog.Bus;
using Maplog.Configuration;
using Maplog.Log;
using Maplog.Observing;
using Maplog.Replicator.Following;
using Maplog.Replicator.Observing;
using Maplog.Replicator;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

var daemon = new Daemon("maplog-replicator", "rebuilds eBPF maps on this host from their log, and keeps them equal to the log.",
[
    new("--source", "NAME", "The source of the maps to rebuild.", "Maplog:Replicator:Source"),
    new("--map", "NAME", "A map of the source. Repeatable, each with its own --pin.", "Maplog:Replicator:Replicas:{0}:Map"),
    new("--pin", "PATH", "Pin of the replica of that map.", "Maplog:Replicator:Replicas:{0}:Pin"),
    new("--on-new-shape", "WHAT", "Stop or Recreate, if the source's map has another shape.", "Maplog:Replicator:Replicas:{0}:OnNewShape"),
    new("--registry", "FOLDER", "Folder of bpffs that is shared with a capture on this host.", "Maplog:Replicator:RegistryFolder"),
    new("--log", "CONNECTION", "Connection string of the log's Postgres.", "Maplog:Log:ConnectionString"),
    new("--bus", "URI", "Address of RabbitMQ, amqp://user:password@host/vhost.", "Maplog:Bus:Uri"),
    .. ObservingServices.Switches,
    new("--max-lag", "TIME", "A replica is ready while it has been behind for at most this time (10s).", "Maplog:Replicator:MaxLag"),
    new("--max-lag-versions", "N", "A replica is ready while it is at most this many versions behind.", "Maplog:Replicator:MaxLagVersions"),
    new("--node", "NAME", "Name of this host on the bus.", "Maplog:Node:Name"),
]);
return await daemon.RunAsync(args, (builder, settings) =>
{
    var replicator = settings.Read<ReplicatorOptions>(ReplicatorOptions.Section);
    var log = settings.Read<LogOptions>(Sections.Log);
    var node = settings.Read<NodeOptions>(Sections.Node);
    var now = new SettingsNow(builder.Configuration.Sources);
    // The log has everything; without a bus, changes only arrive later.
    var bus = builder.Configuration.GetSection(Sections.Bus).Exists() ? settings.Read<BusOptions>(Sections.Bus) : null;
    if (bus is null)
        builder.Services.AddSingleton<IBusFeed, SilentBus>();
    else
    {
        bus.ReadAgain(() => now.Find($"{Sections.Bus}:{nameof(BusOptions.Uri)}"));
        builder.Services.AddSingleton(bus).AddSingleton<IBusFeed, RabbitFeed>();
    }
    builder.Services
        .AddSingleton(replicator)
        .AddSingleton(node)
        .AddSingleton(_ => new LogStore(log, () => LogOptions.PasswordIn(now.Find($"{Sections.Log}:{nameof(LogOptions.ConnectionString)}"))) { NeedsPrimary = true })
        .AddSingleton<ReplicaBoard>()
        .AddSingleton<ReplicatorMetrics>()
        .AddHostedService<StatusReporter>() // before the replicator: it stops after it
        .AddHostedService<ReplicatorService>();
    builder.AddObserving<ReplicaBoard, ReplicatorMetrics>(settings, "maplog-replicator", node.Name, ReplicatorMetrics.MeterName);
});
