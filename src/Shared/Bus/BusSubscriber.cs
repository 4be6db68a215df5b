using System.Diagnostics.CodeAnalysis;
using Maplog.Events;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maplog.Bus;

/// <summary>
/// Listens to streams on RabbitMQ, all on one connection, which is there as long as a subscription is. Each looks for its queue by
/// itself, again and again, and makes exchange and queue anew where they are gone: what is wrong with one queue is nothing to the others.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The last subscription ends the session.")]
public sealed class BusSubscriber
{
    private const int MostBeginning = 16;

    private readonly BusOptions _options;
    private readonly string _node;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    // Each begins within its own time limit, however many there are.
    private readonly SemaphoreSlim _beginning = new(MostBeginning);
    private BusSession? _session;
    private int _subscriptions;

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
    /// <param name="reader">Goes into the queue's name behind the node's: tells those of one node that listen to one stream apart.</param>
    public BusSubscription Subscribe(StreamName stream, SubscriptionHandlers handlers, QueueLife queue = QueueLife.Kept, string? reader = null)
    {
        var who = reader is null ? _node : $"{_node}-{reader}";
        var name = BusNames.Queue(stream, queue == QueueLife.Kept ? who : $"{who}-{Guid.NewGuid():N}");
        var subscription = new BusSubscription(stream, name, queue, handlers, Server, _options, _log, _time);
        subscription.Start(Join(), _beginning, LeaveAsync);
        return subscription;
    }

    private BusSession Join()
    {
        lock (_lock)
        {
            if (_subscriptions++ == 0)
            {
                _session = new BusSession(Server, _options, $"maplog {_node}", _ => { }, _time);
                _session.Start();
            }
            return _session!;
        }
    }

    private async Task LeaveAsync()
    {
        BusSession session;
        lock (_lock)
        {
            if (--_subscriptions > 0)
                return;
            session = _session!;
        }
        await session.DisposeAsync();
    }
}
