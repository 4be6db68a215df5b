using MassTransit;
using Maplog.Events;
using Microsoft.Extensions.Logging;

namespace Maplog.Bus;

/// <summary>One stream listened to. Messages are handled one at a time, in order of arrival.</summary>
public sealed class BusSubscription : IAsyncDisposable
{
    private readonly SubscriptionHandlers _handlers;
    private readonly BusServer _server;
    private readonly ILogger _log;
    private readonly string _queue;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private HostReceiveEndpointHandle? _handle;

    internal BusSubscription(StreamName stream, string queue, SubscriptionHandlers handlers, BusServer server, ILogger log)
    {
        Stream = stream;
        _queue = queue;
        _handlers = handlers;
        _server = server;
        _log = log;
    }

    public StreamName Stream { get; }

    /// <summary>Whether messages can come now.</summary>
    public bool IsConnected { get; private set; }

    /// <summary>Why no messages can come, a sentence; null while all is well.</summary>
    public string? Problem { get; private set; }

    /// <summary>Whether the problem is one that waiting does not mend (<see cref="BusRefusedException"/>).</summary>
    public bool IsRefused { get; private set; }

    /// <summary>Messages that could not be read.</summary>
    public long BrokenMessages { get; private set; }

    /// <summary>Ends when the subscription is disposed; fails with what a handler threw, and then nothing more is handled.</summary>
    public Task Completion => _completion.Task;

    public async ValueTask DisposeAsync()
    {
        _completion.TrySetResult();
        if (_handle is not null)
            await _handle.StopAsync(CancellationToken.None);
        _handle = null;
        IsConnected = false;
    }

    internal void Connect(IBusControl bus, BusOptions options, QueueLife life) => _handle = bus.ConnectReceiveEndpoint(_queue, endpoint =>
    {
        var queue = (IRabbitMqReceiveEndpointConfigurator)endpoint;
        queue.ConfigureConsumeTopology = false;
        queue.PublishFaults = false;
        // Order: one call at a time; the client hands deliveries over one after the other.
        queue.ConcurrentMessageLimit = 1;
        queue.PrefetchCount = options.Prefetch;
        queue.Durable = life == QueueLife.Kept;
        queue.AutoDelete = life == QueueLife.Passing;
        queue.SetQueueArgument("x-max-length-bytes", options.QueueBytes);
        queue.SetQueueArgument("x-overflow", "drop-head");
        if (life == QueueLife.Kept)
        {
            queue.QueueExpiration = options.QueueExpiry;
            // Two that carry one name by mistake: one is served, the other polls the log, instead of each getting half.
            queue.SingleActiveConsumer = true;
        }
        queue.Bind(BusNames.Exchange(Stream.Source), binding =>
        {
            binding.ExchangeType = "topic";
            binding.RoutingKey = BusNames.RoutingKey(Stream);
        });
        var keepAside = new KeepAside(_queue, options, life, BrokenAsync);
        queue.ConfigureChannel(channel => channel.UseFilter(keepAside));
        queue.ConfigureError(error => error.UseFilter(keepAside));
        queue.ConfigureDeadLetter(skipped => skipped.UseFilter(keepAside));
        queue.ConnectReceiveEndpointObserver(new Observer(this));
        queue.Handler<BusMessage>(HandleAsync);
    });

    private async Task HandleAsync(ConsumeContext<BusMessage> context)
    {
        if (Completion.IsCompleted)
            return;
        await CallAsync(() => _handlers.BlockOfAsync(Stream, context.Message, context.CancellationToken), context.CancellationToken);
    }

    private async Task BrokenAsync(string problem, string keptIn, CancellationToken cancellation)
    {
        BrokenMessages++;
        _log.KeptAside(Stream, problem, keptIn);
        if (!Completion.IsCompleted)
            await CallAsync(() => _handlers.Broken(problem, cancellation), cancellation);
    }

    private async Task CallAsync(Func<Task> handler, CancellationToken cancellation)
    {
        try
        {
            await handler();
        }
        catch (BrokenMessageException)
        {
            throw;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e)
        {
            // Whose handler cannot go on must look at the log anyway: the message is done with.
            _completion.TrySetException(e);
        }
    }

    private void Ready()
    {
        (Problem, IsRefused, IsConnected) = (null, false, true);
        _log.Listening(Stream, _server.Address);
    }

    private void Faulted(Exception failure)
    {
        var refusal = _server.RefusalIn(failure);
        var problem = refusal?.Message ?? _server.Away(failure);
        // The transport tries again and again: only what is new is told.
        var isNew = IsConnected || Problem is null || IsRefused != refusal is not null;
        (Problem, IsRefused, IsConnected) = (problem, refusal is not null, false);
        if (isNew && refusal is not null)
            _log.ListeningRefused(Stream, problem);
        else if (isNew)
            _log.ListeningStopped(Stream, problem);
    }

    private sealed class Observer(BusSubscription subscription) : IReceiveEndpointObserver
    {
        public Task Ready(ReceiveEndpointReady ready)
        {
            subscription.Ready();
            return Task.CompletedTask;
        }

        public Task Faulted(ReceiveEndpointFaulted faulted)
        {
            subscription.Faulted(faulted.Exception ?? new InvalidOperationException("the connection was lost."));
            return Task.CompletedTask;
        }

        public Task Stopping(ReceiveEndpointStopping stopping) => Task.CompletedTask;

        public Task Completed(ReceiveEndpointCompleted completed)
        {
            subscription.IsConnected = false;
            return Task.CompletedTask;
        }
    }
}
