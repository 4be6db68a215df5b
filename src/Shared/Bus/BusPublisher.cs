using MassTransit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maplog.Bus;

/// <summary>
/// Sends messages of blocks and heartbeats, one at a time, each until RabbitMQ has confirmed it: that is the order. It never holds anything up: while
/// RabbitMQ is away a message is dropped at once and counted, and one attempt takes at most <see cref="BusOptions.PublishTimeout"/>.
/// What is dropped heals from the log. Messages are not written to RabbitMQ's disk, for the same reason.
/// </summary>
public sealed class BusPublisher : IAsyncDisposable
{
    // As much as a message carries well; what waited together goes together.
    private const int WantedBytes = 1 << 20;

    private readonly BusOptions _options;
    private readonly BusServer _server;
    private readonly BusSession _session;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
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
        _session = new BusSession(_server, options, "maplog publisher", _ => null, Tell, _time);
    }

    /// <summary>False from the loss of the connection, or the first message that failed, until RabbitMQ lets us in again.</summary>
    public bool IsConnected => _session.Era is not null;

    /// <summary>Why nothing is sent, a sentence; null while all is well.</summary>
    public string? Problem => _session.Failure?.Sentence;

    /// <summary>Whether RabbitMQ is there and says no (<see cref="BusRefusedException"/>): a person must change something, and no restart is needed then.</summary>
    public bool IsRefused => _session.Failure is { IsRefusal: true };

    /// <summary>Blocks that RabbitMQ has confirmed.</summary>
    public long PublishedBlocks => Interlocked.Read(ref _published);

    /// <summary>Blocks given up.</summary>
    public long DroppedBlocks => Interlocked.Read(ref _dropped);

    /// <summary>Tries once. Whether RabbitMQ is away or refuses us, it is tried again in the background, and <see cref="Problem"/> says why nothing is sent.</summary>
    public Task StartAsync(CancellationToken cancellation = default) => _session.StartAsync(cancellation);

    /// <summary>Bytes that are best put into one message, if its parts are no larger.</summary>
    public int MessageBytes => Math.Min(WantedBytes, _options.MaxMessageBytes);

    /// <summary>Sends a message and waits until RabbitMQ has it.</summary>
    /// <param name="source">Whose events.</param>
    /// <param name="parts">Copies of what <see cref="ChangeBlockWriter.Finish"/> gave, and heartbeats, in the order in which they are to come. They are not to be written to any more.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>False if it was dropped.</returns>
    public async Task<bool> PublishAsync(string source, IReadOnlyList<byte[]> parts, CancellationToken cancellation = default)
    {
        var blocks = parts.Count(p => BusMessage.IsBlock(p));
        var size = parts.Sum(p => p.Length);
        if (size > _options.MaxMessageBytes)
            _log.MessageTooLarge(ChangeBlock.TryRead(parts[0], out var block, out _) ? block.Stream.ToString() : source, size, _options.MaxMessageBytes);
        else if (IsConnected && await SendAsync(source, parts, cancellation))
        {
            Interlocked.Add(ref _published, blocks);
            return true;
        }
        Interlocked.Add(ref _dropped, blocks);
        return false;
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stop.CancelAsync();
        await _session.DisposeAsync();
        _stop.Dispose();
        _oneAtATime.Dispose();
    }

    private async Task<bool> SendAsync(string source, IReadOnlyList<byte[]> parts, CancellationToken cancellation)
    {
        await _oneAtATime.WaitAsync(cancellation);
        try
        {
            // Those who waited behind a message that failed do not wait again each for themselves.
            if (_session.Era is not { } era)
                return false;
            using var limit = new CancellationTokenSource(_options.PublishTimeout, _time);
            using var any = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation, _stop.Token);
            try
            {
                _session.Exchange = BusNames.Exchange(source);
                var endpoint = await era.EndpointAsync(source);
                var sending = endpoint.Send(BusMessage.Of(parts), SendAs.Events, any.Token);
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
            _oneAtATime.Release();
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

    private sealed class SendAs : IPipe<SendContext<BusMessage>>
    {
        public static SendAs Events { get; } = new();

        public Task Send(SendContext<BusMessage> context)
        {
            context.SetRoutingKey(BusNames.RoutingKey);
            context.Durable = false;
            return Task.CompletedTask;
        }

        public void Probe(ProbeContext context)
        {
        }
    }
}
