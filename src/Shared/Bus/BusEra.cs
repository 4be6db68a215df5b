using System.Collections.Concurrent;
using MassTransit;

namespace Maplog.Bus;

/// <summary>One bus from its connection to its loss.</summary>
internal sealed class BusEra : IReceiveEndpointObserver
{
    private readonly BusServer _server;
    private readonly ConcurrentDictionary<string, Task<ISendEndpoint>> _endpoints = [];
    private readonly ConcurrentDictionary<string, BusListening> _listening = [];

    public BusEra(IBusControl bus, BusServer server)
    {
        Bus = bus;
        _server = server;
        // The bus has a queue of its own: its endpoint notices the loss of the connection when nobody sends.
        bus.ConnectReceiveEndpointObserver(this);
    }

    public IBusControl Bus { get; }

    /// <summary>Ends with the first failure.</summary>
    public TaskCompletionSource<BusFailure> Lost { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The first failure, or null.</summary>
    public BusFailure? Loss => Lost.Task.IsCompleted ? Lost.Task.Result : null;

    /// <summary>Whether it has carried anything.</summary>
    public bool Proved { get; set; }

    /// <summary>Where a source's messages go.</summary>
    public Task<ISendEndpoint> EndpointAsync(string source) =>
        _endpoints.GetOrAdd(source, s => Bus.GetSendEndpoint(new Uri($"exchange:{BusNames.Exchange(s)}?type=topic")));

    /// <summary>For listening to a queue; what is lost of it alone is no loss of the bus.</summary>
    public BusListening Listen(string queue) => _listening[queue] = new BusListening(this, queue);

    /// <summary>Ends when every queue has been left that was listened to.</summary>
    public Task LeftAsync() => Task.WhenAll(_listening.Values.Select(l => l.Left));

    Task IReceiveEndpointObserver.Faulted(ReceiveEndpointFaulted faulted)
    {
        Lose(faulted.InputAddress, faulted.Exception is { } cause
            ? _server.Judge(cause)
            : new BusFailure($"RabbitMQ at {_server.Address} has closed the connection.", false, null));
        return Task.CompletedTask;
    }

    Task IReceiveEndpointObserver.Completed(ReceiveEndpointCompleted completed)
    {
        // Also when RabbitMQ has deleted the queue, or closed the connection in order.
        Lose(completed.InputAddress, new BusFailure($"RabbitMQ at {_server.Address} has ended the delivery: it stops, or a queue was deleted.", false, null));
        return Task.CompletedTask;
    }

    Task IReceiveEndpointObserver.Ready(ReceiveEndpointReady ready) => Task.CompletedTask;

    Task IReceiveEndpointObserver.Stopping(ReceiveEndpointStopping stopping) => Task.CompletedTask;

    private void Lose(Uri queue, BusFailure failure)
    {
        if (_listening.TryGetValue(Uri.UnescapeDataString(queue.Segments[^1]), out var listening))
            listening.Lose(failure);
        else
            Lost.TrySetResult(failure);
    }
}
