using MassTransit;
using Maplog.Events;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maplog.Bus;

/// <summary>
/// Sends blocks and heartbeats, each awaited until RabbitMQ has confirmed it; who awaits a stream's one after the other keeps their order. It never holds anything up: while
/// RabbitMQ is away a message is dropped at once and counted, and one attempt takes at most <see cref="BusOptions.PublishTimeout"/>.
/// What is dropped heals from the log. Messages are not written to RabbitMQ's disk, for the same reason.
/// </summary>
public sealed class BusPublisher : IAsyncDisposable
{
    private const int MostAtATime = 32;

    private readonly BusOptions _options;
    private readonly BusServer _server;
    private readonly BusSession _session;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _someAtATime = new(MostAtATime, MostAtATime);
    private readonly CancellationTokenSource _stop = new();
    private long _published;
    private long _dropped;
    private Told _told;
    private int _disposed;

    public BusPublisher(BusOptions options, ILogger<BusPublisher>? log = null, TimeProvider? time = null)
    {
        _options = options;
        _server = new BusServer(options);
        _log = log ?? NullLogger<BusPublisher>.Instance;
        _time = time ?? TimeProvider.System;
        _session = new BusSession(_server, options, "maplog publisher", Tell, _time);
    }

    /// <summary>False from the loss of the connection, or the first message that failed, until RabbitMQ lets us in again.</summary>
    public bool IsConnected => _session.Era is not null;

    /// <summary>Why nothing is sent, a sentence; null while all is well.</summary>
    public string? Problem => _session.Failure?.Sentence;

    /// <summary>Whether the problem is one that waiting does not mend (<see cref="BusRefusedException"/>).</summary>
    public bool IsRefused => _session.Failure is { IsRefusal: true };

    /// <summary>Blocks that RabbitMQ has confirmed.</summary>
    public long PublishedBlocks => Interlocked.Read(ref _published);

    /// <summary>Blocks given up.</summary>
    public long DroppedBlocks => Interlocked.Read(ref _dropped);

    /// <summary>Begins; RabbitMQ being away is no failure, it is looked for in the background.</summary>
    /// <exception cref="BusRefusedException">RabbitMQ is there and refuses us.</exception>
    public Task StartAsync(CancellationToken cancellation = default) => _session.StartAsync(cancellation);

    /// <summary>Sends a block and waits until RabbitMQ has it.</summary>
    /// <param name="stream">Whose block.</param>
    /// <param name="block">A copy of what <see cref="ChangeBlockWriter.Finish"/> gave: it is not to be written to any more.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>False if it was dropped.</returns>
    public async Task<bool> PublishAsync(StreamName stream, byte[] block, CancellationToken cancellation = default)
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
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stop.CancelAsync();
        await _session.DisposeAsync();
        _stop.Dispose();
        _someAtATime.Dispose();
    }

    private async Task<bool> SendAsync(StreamName stream, byte[] bytes, RawSerializer serializer, CancellationToken cancellation)
    {
        await _someAtATime.WaitAsync(cancellation);
        try
        {
            // Those who waited behind a message that failed do not wait again each for themselves.
            if (_session.Era is not { } era)
                return false;
            using var limit = new CancellationTokenSource(_options.PublishTimeout, _time);
            using var any = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation, _stop.Token);
            try
            {
                _session.Exchange = BusNames.Exchange(stream.Source);
                var endpoint = await era.EndpointAsync(stream.Source);
                var sending = endpoint.Send(new BusMessage(serializer.ContentType, bytes), new SendAs(serializer, stream), any.Token);
                if (await Task.WhenAny(sending, era.Lost.Task) != sending)
                {
                    // MassTransit would go on trying.
                    await any.CancelAsync();
                    return false;
                }
                await sending;
                Prove(era);
                return true;
            }
            catch (Exception) when (cancellation.IsCancellationRequested || _stop.IsCancellationRequested)
            {
                cancellation.ThrowIfCancellationRequested();
                return false;
            }
            catch (OperationCanceledException)
            {
                era.Lost.TrySetResult(new BusFailure($"RabbitMQ at {_server.Address} has not confirmed a message within {_options.PublishTimeout.TotalSeconds:0.###} s.", false, null));
                return false;
            }
            catch (Exception e)
            {
                era.Lost.TrySetResult(_server.Judge(e));
                return false;
            }
        }
        finally
        {
            _someAtATime.Release();
        }
    }

    private void Prove(BusEra era)
    {
        era.Proved = true;
        if (Interlocked.Exchange(ref _told, Told.Well) != Told.Well)
            _log.Publishing(_server.Address);
    }

    // That it goes well again is told with the first message that is confirmed: RabbitMQ may let us in and still take nothing.
    private void Tell(BusFailure? failure)
    {
        if (failure is null)
            return;
        var state = failure.IsRefusal ? Told.Refused : Told.Away;
        if (Interlocked.Exchange(ref _told, state) == state)
            return;
        if (failure.IsRefusal)
            _log.PublishingRefused(failure.Sentence);
        else
            _log.PublishingStopped(failure.Sentence);
    }

    private enum Told
    {
        Nothing,
        Well,
        Away,
        Refused,
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
