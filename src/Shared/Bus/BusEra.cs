using System.Collections.Concurrent;
using MassTransit;

namespace Maplog.Bus;

/// <summary>One bus from its connection to its loss.</summary>
internal sealed class BusEra : IReceiveEndpointObserver
{
    private readonly BusServer _server;
    private readonly ConcurrentDictionary<string, Task<ISendEndpoint>> _endpoints = [];

    public BusEra(IBusControl bus, BusServer server)
    {
        Bus = bus;
        _server = server;
        // Who listens notices the loss of the connection by this, who sends by the next message.
        bus.ConnectReceiveEndpointObserver(this);
    }

    public IBusControl Bus { get; }

    /// <summary>What listens on it, if anything does.</summary>
    public HostReceiveEndpointHandle? Listening { get; set; }

    /// <summary>Ends with the first failure.</summary>
    public TaskCompletionSource<BusFailure> Lost { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The first failure, or null.</summary>
    public BusFailure? Loss => Lost.Task.IsCompleted ? Lost.Task.Result : null;

    /// <summary>Whether it has carried anything.</summary>
    public bool Proved { get; set; }

    /// <summary>Where a source's messages go.</summary>
    public Task<ISendEndpoint> EndpointAsync(string source) =>
        _endpoints.GetOrAdd(source, s => Bus.GetSendEndpoint(new Uri($"exchange:{BusNames.Exchange(s)}?type={BusNames.ExchangeType}")));

    Task IReceiveEndpointObserver.Faulted(ReceiveEndpointFaulted faulted)
    {
        Lost.TrySetResult(faulted.Exception is { } cause
            ? _server.Judge(cause)
            : new BusFailure($"RabbitMQ at {_server.Address} has closed the connection.", false, null));
        return Task.CompletedTask;
    }

    Task IReceiveEndpointObserver.Completed(ReceiveEndpointCompleted completed)
    {
        // Also when RabbitMQ has deleted the queue, or closed the connection in order.
        Lost.TrySetResult(new BusFailure($"RabbitMQ at {_server.Address} has ended the delivery: it stops, or a queue was deleted.", false, null));
        return Task.CompletedTask;
    }

    Task IReceiveEndpointObserver.Ready(ReceiveEndpointReady ready) => Task.CompletedTask;

    Task IReceiveEndpointObserver.Stopping(ReceiveEndpointStopping stopping) => Task.CompletedTask;
}
