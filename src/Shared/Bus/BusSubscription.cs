using MassTransit;
using Maplog.Events;
using Microsoft.Extensions.Logging;

namespace Maplog.Bus;

/// <summary>One stream listened to. Messages are handled one at a time, in order of arrival.</summary>
public sealed class BusSubscription : IAsyncDisposable
{
    private readonly string _queue;
    private readonly QueueLife _life;
    private readonly SubscriptionHandlers _handlers;
    private readonly BusServer _server;
    private readonly BusOptions _options;
    private readonly ILogger _log;
    private readonly BusSession _session;
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _broken;
    private int _disposed;

    internal BusSubscription(
        StreamName stream, string queue, QueueLife life, SubscriptionHandlers handlers, BusServer server, BusOptions options, ILogger log, TimeProvider time)
    {
        Stream = stream;
        _queue = queue;
        _life = life;
        _handlers = handlers;
        _server = server;
        _options = options;
        _log = log;
        _session = new BusSession(server, options, $"maplog {queue}", Connect, Tell, time);
    }

    public StreamName Stream { get; }

    /// <summary>Whether messages can come now.</summary>
    public bool IsConnected => _session.Era is not null;

    /// <summary>Why no messages can come, a sentence; null while all is well.</summary>
    public string? Problem => _session.Failure?.Sentence;

    /// <summary>Whether the problem is one that waiting does not mend (<see cref="BusRefusedException"/>).</summary>
    public bool IsRefused => _session.Failure is { IsRefusal: true };

    /// <summary>Messages that could not be read.</summary>
    public long BrokenMessages => Interlocked.Read(ref _broken);

    /// <summary>Ends when the subscription is disposed; fails with what a handler threw, and then nothing more is handled.</summary>
    public Task Completion => _completion.Task;

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stop.CancelAsync();
        await _session.DisposeAsync();
        _completion.TrySetResult();
        _stop.Dispose();
        _oneAtATime.Dispose();
    }

    internal void Start() => _session.Start();

    private HostReceiveEndpointHandle Connect(IBusControl bus) => bus.ConnectReceiveEndpoint(_queue, endpoint =>
    {
        var queue = (IRabbitMqReceiveEndpointConfigurator)endpoint;
        queue.ConfigureConsumeTopology = false;
        queue.PublishFaults = false;
        // Order: one call at a time; the client hands deliveries over one after the other.
        queue.ConcurrentMessageLimit = 1;
        queue.PrefetchCount = _options.Prefetch;
        queue.Durable = _life == QueueLife.Kept;
        queue.AutoDelete = _life == QueueLife.Passing;
        // Neither durable nor exclusive: RabbitMQ 4 is giving such queues up.
        queue.Exclusive = _life == QueueLife.Passing;
        queue.SetQueueArgument("x-max-length-bytes", _options.QueueBytes);
        queue.SetQueueArgument("x-overflow", "drop-head");
        if (_life == QueueLife.Kept)
        {
            queue.QueueExpiration = _options.QueueExpiry;
            // Two that carry one name by mistake: one is served, the other polls the log, instead of each getting half.
            queue.SingleActiveConsumer = true;
        }
        queue.Bind(BusNames.Exchange(Stream.Source), binding =>
        {
            binding.ExchangeType = "topic";
            binding.RoutingKey = BusNames.RoutingKey(Stream);
        });
        var keepAside = new KeepAside(_queue, _options, _life, BrokenAsync);
        queue.ConfigureChannel(channel => channel.UseFilter(keepAside));
        queue.ConfigureError(error => error.UseFilter(keepAside));
        queue.ConfigureDeadLetter(skipped => skipped.UseFilter(keepAside));
        queue.Handler<BusMessage>(HandleAsync);
    });

    private Task HandleAsync(ConsumeContext<BusMessage> context) => CallAsync(token => _handlers.CallAsync(Stream, context.Message, token));

    private async Task BrokenAsync(string problem, string keptIn)
    {
        Interlocked.Increment(ref _broken);
        _log.KeptAside(Stream, problem, keptIn);
        await CallAsync(token => _handlers.Broken(problem, token));
    }

    private async Task CallAsync(Func<CancellationToken, Task> handler)
    {
        // A retired bus may still be in the middle of its last message while the next one begins.
        await _oneAtATime.WaitAsync(_stop.Token);
        try
        {
            if (_session.Era is { } era)
                era.Proved = true;
            if (!Completion.IsCompleted)
                await handler(_stop.Token);
        }
        catch (BrokenMessageException)
        {
            throw;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw; // not handled: it stays in the queue
        }
        catch (Exception e)
        {
            // Whose handler cannot go on must look at the log anyway: the message is done with.
            _completion.TrySetException(e);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private void Tell(BusFailure? failure)
    {
        if (failure is null)
            _log.Listening(Stream, _server.Address);
        else if (failure.IsRefusal)
            _log.ListeningRefused(Stream, failure.Sentence);
        else
            _log.ListeningStopped(Stream, failure.Sentence);
    }
}
