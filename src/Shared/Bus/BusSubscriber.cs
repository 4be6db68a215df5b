using Maplog.Events;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maplog.Bus;

/// <summary>
/// Listens to streams on RabbitMQ, each on a connection of its own. A subscription looks for RabbitMQ by itself, again and again, and
/// makes exchange and queue anew where they are gone.
/// </summary>
public sealed class BusSubscriber
{
    private readonly BusOptions _options;
    private readonly string _node;
    private readonly ILogger _log;
    private readonly TimeProvider _time;

    /// <param name="options">Where RabbitMQ is.</param>
    /// <param name="node">Names the queues: two subscribers of one name share a queue, and only one of them is served.</param>
    /// <param name="log">Where states are told.</param>
    /// <param name="time">The clock of time limits.</param>
    public BusSubscriber(BusOptions options, string node, ILogger<BusSubscriber>? log = null, TimeProvider? time = null)
    {
        _options = options;
        Server = new BusServer(options);
        _node = node;
        _log = log ?? NullLogger<BusSubscriber>.Instance;
        _time = time ?? TimeProvider.System;
    }

    /// <summary>The RabbitMQ that is used; <see cref="BusServer.TryAsync(CancellationToken)"/> tells whether it would let us in.</summary>
    public BusServer Server { get; }

    /// <summary>Listens to a stream until the subscription is disposed. RabbitMQ may be away, or refuse us: the subscription says so, and goes on trying.</summary>
    /// <param name="stream">Which.</param>
    /// <param name="handlers">Called for what comes.</param>
    /// <param name="queue">Whether its queue stays when nobody listens.</param>
    public BusSubscription Subscribe(StreamName stream, SubscriptionHandlers handlers, QueueLife queue = QueueLife.Kept)
    {
        var name = BusNames.Queue(stream, queue == QueueLife.Kept ? _node : $"{_node}-{Guid.NewGuid():N}");
        var subscription = new BusSubscription(stream, name, queue, handlers, Server, _options, _log, _time);
        subscription.Start();
        return subscription;
    }
}
