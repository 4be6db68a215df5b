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
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Task> _leaving = [];
    private readonly BusState _state;
    private Func<Task> _left = () => Task.CompletedTask;
    private Task _keeping = Task.CompletedTask;
    private volatile BusListening? _listening;
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
        _time = time;
        _state = new BusState(Tell, BusState.NotConnected);
    }

    public StreamName Stream { get; }

    /// <summary>Whether messages can come now.</summary>
    public bool IsConnected => _listening is { Loss: null };

    /// <summary>Why no messages can come, a sentence; null while all is well.</summary>
    public string? Problem => Failure?.Sentence;

    /// <summary>Whether the problem is one that waiting does not mend (<see cref="BusRefusedException"/>).</summary>
    public bool IsRefused => Failure is { IsRefusal: true };

    /// <summary>Messages that could not be read.</summary>
    public long BrokenMessages => Interlocked.Read(ref _broken);

    /// <summary>Ends when the subscription is disposed; fails with what a handler threw, and then nothing more is handled.</summary>
    public Task Completion => _completion.Task;

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stop.CancelAsync();
        await _keeping;
        await _left();
        _completion.TrySetResult();
        _stop.Dispose();
        _oneAtATime.Dispose();
    }

    /// <param name="session">The connection.</param>
    /// <param name="beginning">Room for as many as may begin to listen together.</param>
    /// <param name="left">Called when it does not listen any more.</param>
    internal void Start(BusSession session, SemaphoreSlim beginning, Func<Task> left)
    {
        _left = left;
        _keeping = Task.Run(() => KeepAsync(session, beginning));
    }

    private BusFailure? Failure => _listening is { } listening ? listening.Loss : _state.Failure;

    private async Task KeepAsync(BusSession session, SemaphoreSlim beginning)
    {
        var wait = BusSession.FirstRetry;
        try
        {
            while (true)
            {
                var changed = session.Changed;
                if (session.Era is not { } era)
                {
                    if (session.Failure is { } failure)
                        _state.Change(failure);
                    await changed.WaitAsync(_stop.Token);
                    continue;
                }
                var proved = await ListenAsync(era, beginning);
                if (era.Loss is not null)
                    continue;
                // What is wrong is of this queue alone.
                wait = proved ? BusSession.FirstRetry : BusSession.Longer(wait);
                await Task.Delay(wait, _time, _stop.Token);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Asked to stop.
        }
        await Task.WhenAll(_leaving);
    }

    /// <summary>Listens until that is lost.</summary>
    /// <returns>Whether anything came.</returns>
    private async Task<bool> ListenAsync(BusEra era, SemaphoreSlim beginning)
    {
        var listening = era.Listen(_queue);
        try
        {
            if (await BeginAsync(listening, beginning) is { } failure)
            {
                _state.Change(failure);
                return false;
            }
            _listening = listening;
            _state.Change(null);
            _state.Change(await listening.LostAsync().WaitAsync(_stop.Token));
            return listening.Proved;
        }
        finally
        {
            _listening = null;
            _leaving.RemoveAll(t => t.IsCompleted);
            var leaving = listening.LeaveAsync(BusSession.StopLimit, _time);
            // On a bus that is lost nobody has to wait for it; on one that goes on the queue is to be had only when it was left.
            if (era.Loss is not null)
                _leaving.Add(leaving);
            else
                await leaving;
        }
    }

    private async Task<BusFailure?> BeginAsync(BusListening listening, SemaphoreSlim beginning)
    {
        await beginning.WaitAsync(_stop.Token);
        try
        {
            return await listening.BeginAsync(Configure).WaitAsync(_options.ConnectTimeout, _time, _stop.Token);
        }
        catch (Exception e)
        {
            _stop.Token.ThrowIfCancellationRequested();
            return _server.Judge(e);
        }
        finally
        {
            beginning.Release();
        }
    }

    private void Configure(IReceiveEndpointConfigurator endpoint)
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
    }

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
            _listening?.Prove();
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
