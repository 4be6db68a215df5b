using System.Collections.Concurrent;
using MassTransit;
using Maplog.Events;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maplog.Bus;

/// <summary>
/// Sends blocks and heartbeats, one after the other, each awaited until RabbitMQ has confirmed it. It never holds anything up: while
/// RabbitMQ is away a message is dropped at once and counted, and one attempt takes at most <see cref="BusOptions.PublishTimeout"/>.
/// What is dropped heals from the log. Messages are not written to RabbitMQ's disk, for the same reason.
/// </summary>
public sealed class BusPublisher : IAsyncDisposable
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(5);

    private readonly BusOptions _options;
    private readonly BusServer _server;
    private readonly IBusControl _bus;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, ISendEndpoint> _endpoints = [];
    private readonly Lock _stateLock = new();
    private Task _recovery = Task.CompletedTask;
    private volatile bool _connected;
    private bool _isStarted;
    private long _published;
    private long _dropped;

    public BusPublisher(BusOptions options, ILogger<BusPublisher>? log = null, TimeProvider? time = null)
    {
        _options = options;
        _server = new BusServer(options);
        _bus = BusTransport.Create(options, "maplog publisher");
        _log = log ?? NullLogger<BusPublisher>.Instance;
        _time = time ?? TimeProvider.System;
    }

    /// <summary>False from the first message that failed until RabbitMQ lets us in again.</summary>
    public bool IsConnected => _connected;

    /// <summary>Why nothing is sent, a sentence; null while all is well.</summary>
    public string? Problem { get; private set; }

    /// <summary>Whether the problem is one that waiting does not mend (<see cref="BusRefusedException"/>).</summary>
    public bool IsRefused { get; private set; }

    /// <summary>Blocks that RabbitMQ has confirmed.</summary>
    public long PublishedBlocks => Interlocked.Read(ref _published);

    /// <summary>Blocks given up.</summary>
    public long DroppedBlocks => Interlocked.Read(ref _dropped);

    /// <summary>Begins; RabbitMQ being away is no failure, it is looked for in the background.</summary>
    /// <exception cref="BusRefusedException">RabbitMQ is there and refuses us.</exception>
    public async Task StartAsync(CancellationToken cancellation = default)
    {
        if (await TryStartAsync(cancellation) is { } problem)
            Lost(problem, refused: false);
        else
            Found();
    }

    /// <summary>Sends a block and waits until RabbitMQ has it.</summary>
    /// <param name="stream">Whose block.</param>
    /// <param name="block">As <see cref="ChangeBlockWriter.Finish"/> gave it; free again when the task ends.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>False if it was dropped.</returns>
    public async Task<bool> PublishAsync(StreamName stream, ReadOnlyMemory<byte> block, CancellationToken cancellation = default)
    {
        if (block.Length > _options.MaxMessageBytes)
            _log.BlockTooLarge(stream, block.Length, _options.MaxMessageBytes);
        else if (IsConnected && await SendAsync(stream, block, BusTransport.BlockSerializer, cancellation))
        {
            Interlocked.Increment(ref _published);
            return true;
        }
        Interlocked.Increment(ref _dropped);
        return false;
    }

    /// <summary>Sends a heartbeat, by the same way as the blocks: it is received after all that was sent before it.</summary>
    /// <returns>False if it was dropped.</returns>
    public async Task<bool> PublishAsync(Heartbeat beat, CancellationToken cancellation = default) =>
        IsConnected && await SendAsync(beat.Stream, beat.ToBytes(), BusTransport.BeatSerializer, cancellation);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _recovery;
        _connected = false;
        if (_isStarted)
        {
            using var limit = new CancellationTokenSource(StopLimit, _time);
            await _bus.StopAsync(limit.Token);
        }
        _stop.Dispose();
        _oneAtATime.Dispose();
    }

    private async Task<bool> SendAsync(StreamName stream, ReadOnlyMemory<byte> bytes, RawSerializer serializer, CancellationToken cancellation)
    {
        await _oneAtATime.WaitAsync(cancellation);
        try
        {
            // Those who waited behind a message that failed do not wait again each for themselves.
            if (!IsConnected)
                return false;
            using var limit = new CancellationTokenSource(_options.PublishTimeout, _time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation, _stop.Token);
            try
            {
                var endpoint = await EndpointAsync(stream.Source);
                await endpoint.Send(new BusMessage(serializer.ContentType, bytes.ToArray()), new SendAs(serializer, stream), both.Token);
                return true;
            }
            catch (Exception) when (cancellation.IsCancellationRequested || _stop.IsCancellationRequested)
            {
                cancellation.ThrowIfCancellationRequested();
                return false;
            }
            catch (OperationCanceledException)
            {
                Lost($"RabbitMQ at {_server.Address} has not confirmed a message within {_options.PublishTimeout.TotalSeconds:0.###} s.", refused: false);
                return false;
            }
            catch (Exception e)
            {
                var refusal = _server.RefusalIn(e);
                Lost(refusal?.Message ?? _server.Away(e), refusal is not null);
                return false;
            }
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private async Task<ISendEndpoint> EndpointAsync(string source)
    {
        if (!_endpoints.TryGetValue(source, out var endpoint))
            _endpoints[source] = endpoint = await _bus.GetSendEndpoint(new Uri($"exchange:{BusNames.Exchange(source)}?type=topic"));
        return endpoint;
    }

    private void Found()
    {
        lock (_stateLock)
        {
            (Problem, IsRefused, _connected) = (null, false, true);
        }
        _log.Publishing(_server.Address);
    }

    private void Lost(string problem, bool refused)
    {
        lock (_stateLock)
        {
            (Problem, IsRefused, _connected) = (problem, refused, false);
            if (_recovery.IsCompleted)
                _recovery = Task.Run(RecoverAsync);
        }
        Tell(problem, refused);
    }

    // MassTransit returns from its start when it has a connection, and not before: it is started once RabbitMQ is there.
    private async Task<string?> TryStartAsync(CancellationToken cancellation)
    {
        if (await _server.TryAsync(cancellation) is { } problem)
            return problem;
        try
        {
            if (!_isStarted)
                await _bus.StartAsync(cancellation);
            _isStarted = true;
            return null;
        }
        catch (RabbitMqConnectionException e)
        {
            return _server.Away(e); // gone again between our look and MassTransit's
        }
    }

    /// <summary>Looks for RabbitMQ on a connection of its own until it lets us in.</summary>
    private async Task RecoverAsync()
    {
        for (var wait = FirstRetry; ; wait = wait * 2 < LongestRetry ? wait * 2 : LongestRetry)
        {
            try
            {
                await Task.Delay(wait, _time, _stop.Token);
                var problem = await TryStartAsync(_stop.Token);
                if (problem is null)
                    break;
                Problem = problem;
            }
            catch (Exception) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (BusRefusedException e)
            {
                if (!IsRefused)
                    Tell(e.Message, refused: true);
                (Problem, IsRefused) = (e.Message, true);
            }
        }
        Found();
    }

    private void Tell(string problem, bool refused)
    {
        if (refused)
            _log.PublishingRefused(problem);
        else
            _log.PublishingStopped(problem);
    }

    private sealed class SendAs(RawSerializer serializer, StreamName stream) : IPipe<SendContext<BusMessage>>
    {
        public Task Send(SendContext<BusMessage> context)
        {
            context.Serializer = serializer;
            context.SetRoutingKey(BusNames.RoutingKey(stream));
            context.Durable = false;
            return Task.CompletedTask;
        }

        public void Probe(ProbeContext context)
        {
        }
    }
}
