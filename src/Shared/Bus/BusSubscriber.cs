using MassTransit;
using Maplog.Events;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maplog.Bus;

/// <summary>Listens to streams on RabbitMQ. It looks for RabbitMQ by itself, again and again, and makes exchange and queues anew where they are gone.</summary>
public sealed class BusSubscriber : IAsyncDisposable
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(10);

    private readonly BusOptions _options;
    private readonly BusServer _server;
    private readonly IBusControl _bus;
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
        _server = new BusServer(options);
        _bus = BusTransport.Create(options, $"maplog subscriber {node}");
        _node = node;
        _log = log ?? NullLogger<BusSubscriber>.Instance;
        _time = time ?? TimeProvider.System;
    }

    /// <summary>Begins; RabbitMQ being away is no failure.</summary>
    /// <returns>Null, or a sentence why RabbitMQ cannot be reached now.</returns>
    /// <exception cref="BusRefusedException">RabbitMQ is there and refuses us.</exception>
    public async Task<string?> StartAsync(CancellationToken cancellation = default)
    {
        var problem = await _server.TryAsync(cancellation);
        await _bus.StartAsync(cancellation);
        return problem;
    }

    /// <summary>Listens to a stream until the subscription is disposed.</summary>
    /// <param name="stream">Which.</param>
    /// <param name="handlers">Called for what comes.</param>
    /// <param name="queue">Whether its queue stays when nobody listens.</param>
    public BusSubscription Subscribe(StreamName stream, SubscriptionHandlers handlers, QueueLife queue = QueueLife.Kept)
    {
        var name = BusNames.Queue(stream, queue == QueueLife.Kept ? _node : $"{_node}-{Guid.NewGuid():N}");
        var subscription = new BusSubscription(stream, name, handlers, _server, _log);
        subscription.Connect(_bus, _options, queue);
        return subscription;
    }

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(StopLimit, _time);
        await _bus.StopAsync(limit.Token);
    }
}
