using MassTransit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maplog.Bus;

/// <summary>
/// One source listened to, in a queue that stays and fills, up to its bounds, while nobody listens; on a connection of its own. It looks
/// for RabbitMQ by itself, again and again, and makes exchange and queue anew where they are gone. Messages are handled one at a time, in order of arrival.
/// </summary>
public sealed class BusSubscription : IAsyncDisposable
{
    private readonly string _source;
    private readonly string _queue;
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

    private BusSubscription(BusOptions options, string source, string listener, SubscriptionHandlers handlers, ILogger log, TimeProvider time)
    {
        _options = options;
        _source = source;
        _queue = BusNames.Queue(source, listener);
        _handlers = handlers;
        _server = new BusServer(options);
        _log = log;
        _session = new BusSession(_server, options, $"maplog {_queue}", Connect, Tell, time) { Exchange = BusNames.Exchange(source), Listens = true };
    }

    /// <summary>Listens until it is disposed. RabbitMQ may be away, or refuse us: the subscription says so, and goes on trying.</summary>
    /// <param name="options">Where RabbitMQ is.</param>
    /// <param name="source">The source.</param>
    /// <param name="listener">Names the queue: two subscriptions of one name share it, and only one of them is served.</param>
    /// <param name="handlers">Called for what comes.</param>
    /// <param name="log">Where states are told.</param>
    /// <param name="time">The clock of time limits.</param>
    public static BusSubscription Start(BusOptions options, string source, string listener, SubscriptionHandlers handlers, ILogger<BusSubscription>? log = null, TimeProvider? time = null)
    {
        var subscription = new BusSubscription(options, source, listener, handlers, log ?? NullLogger<BusSubscription>.Instance, time ?? TimeProvider.System);
        subscription._session.Start();
        return subscription;
    }

    /// <summary>Whether messages can come now.</summary>
    public bool IsConnected => _session.Era is not null;

    /// <summary>Why no messages can come, a sentence; null while all is well.</summary>
    public string? Problem => _session.Failure?.Sentence;

    /// <summary>Whether RabbitMQ is there and says no (<see cref="BusRefusedException"/>): a person must change something, and no restart is needed then.</summary>
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

    private HostReceiveEndpointHandle Connect(IBusControl bus) => bus.ConnectReceiveEndpoint(_queue, endpoint =>
    {
        var queue = (IRabbitMqReceiveEndpointConfigurator)endpoint;
        queue.ConfigureConsumeTopology = false;
        queue.PublishFaults = false;
        // Order: one call at a time; the client hands deliveries over one after the other.
        queue.ConcurrentMessageLimit = 1;
        queue.PrefetchCount = _options.Prefetch;
        queue.Durable = true;
        // Not the queue, which stays and expires, but the exchange of its name that MassTransit puts before it.
        queue.AutoDelete = true;
        queue.SetQueueArgument("x-max-length-bytes", _options.QueueBytes);
        queue.SetQueueArgument("x-overflow", "drop-head");
        queue.QueueExpiration = _options.QueueExpiry;
        // Two that carry one name by mistake: one is served, the other polls the log, instead of each getting half.
        queue.SingleActiveConsumer = true;
        queue.Bind(BusNames.Exchange(_source), binding =>
        {
            binding.ExchangeType = BusNames.ExchangeType;
            binding.RoutingKey = BusNames.RoutingKey;
        });
        var keepAside = new KeepAside(_queue, _options, BrokenAsync);
        queue.ConfigureChannel(channel => channel.UseFilter(keepAside));
        queue.ConfigureError(error => error.UseFilter(keepAside));
        queue.ConfigureDeadLetter(skipped => skipped.UseFilter(keepAside));
        queue.Handler<BusMessage>(HandleAsync);
    });

    private Task HandleAsync(ConsumeContext<BusMessage> context) => CallAsync(token => _handlers.CallAsync(_source, context.Message, token));

    private async Task BrokenAsync(string problem, string keptIn)
    {
        Interlocked.Increment(ref _broken);
        _log.KeptAside(_source, problem, keptIn);
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
            _log.Listening(_source, _server.Address);
        else if (failure.IsRefusal)
            _log.ListeningRefused(_source, failure.Sentence);
        else
            _log.ListeningStopped(_source, failure.Sentence);
    }
}
