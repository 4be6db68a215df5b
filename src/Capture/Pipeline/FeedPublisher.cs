using Maplog.Bus;
using Maplog.Capture.Observing;
using Maplog.Events;
using Microsoft.Extensions.Hosting;

namespace Maplog.Capture.Pipeline;

/// <summary>
/// Sends what the feed holds, each stream's in order and the streams side by side, and every second in which nothing else was told of a
/// stream its head, so that a replica that has missed the last block before a silence knows. A beat never overtakes a block of its stream.
/// </summary>
internal sealed class FeedPublisher(BatchFeed feed, BusPublisher bus, CaptureMetrics metrics, TimeProvider time) : BackgroundService
{
    // A beat a second: what was told at one look is old at the fourth after it.
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250), Old = TimeSpan.FromMilliseconds(900), LastWordsWithin = TimeSpan.FromSeconds(2);

    private const int MostOnTheirWay = 32;

    private readonly Dictionary<StreamName, Told> _streams = [];
    private readonly SemaphoreSlim _room = new(MostOnTheirWay);
    private int _terms;

    public override void Dispose()
    {
        base.Dispose();
        _room.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var patience = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        await using var stop = stoppingToken.Register(() => patience.CancelAfter(LastWordsWithin));
        try
        {
            await SendUntilStoppedAsync(patience.Token, stoppingToken);
            // The capture has stopped before us: what is here is all there is.
            while (feed.TryTake(out var block))
                await BeginAsync(block, patience.Token);
            await FinishAsync();
            Beat(patience.Token);
            await FinishAsync();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Replicas read the rest from the log.
        }
    }

    private async Task SendUntilStoppedAsync(CancellationToken patience, CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(LookEvery, time);
        var tick = timer.WaitForNextTickAsync(stopping).AsTask();
        var more = feed.WaitAsync(stopping).AsTask();
        while (true)
        {
            await Task.WhenAny(tick, more);
            if (stopping.IsCancellationRequested)
                return;
            if (more.IsCompleted)
            {
                // Streams that rest are told of between the blocks of one that does not.
                while (!tick.IsCompleted && feed.TryTake(out var block))
                    await BeginAsync(block, patience);
                more = feed.WaitAsync(stopping).AsTask();
            }
            if (tick.IsCompleted)
            {
                Beat(patience);
                tick = timer.WaitForNextTickAsync(stopping).AsTask();
            }
        }
    }

    // RabbitMQ's word for a block takes as long as the block's own way: streams do not wait for each other.
    private async Task BeginAsync(BatchFeed.Outgoing waiting, CancellationToken cancellation)
    {
        var stream = Of(waiting.Head.Stream);
        if (waiting.Term == feed.Terms)
            stream.Head = waiting.Head;
        await _room.WaitAsync(cancellation);
        stream.Sending = SendAsync(stream, waiting, stream.Sending, cancellation);
    }

    private async Task SendAsync(Told stream, BatchFeed.Outgoing waiting, Task before, CancellationToken cancellation)
    {
        try
        {
            await before;
            var began = time.GetTimestamp();
            if (!await bus.PublishAsync(waiting.Head.Stream, waiting.Block, cancellation))
                return;
            metrics.Published(time.GetElapsedTime(began));
            stream.Is(waiting.Head, time.GetTimestamp());
        }
        finally
        {
            _room.Release();
        }
    }

    private void Beat(CancellationToken cancellation)
    {
        if (_terms != feed.Terms)
        {
            _terms = feed.Terms;
            foreach (var stream in _streams.Values)
                stream.Head = null;
        }
        foreach (var dropped in feed.TakeDropped())
        {
            var stream = Of(dropped.Stream);
            if (stream.Head is not { } known || known.Head < dropped.Head)
                stream.Head = dropped;
        }
        foreach (var stream in _streams.Values)
        {
            if (stream.Sending.IsFaulted)
                stream.Sending.GetAwaiter().GetResult();
            // What is on its way tells more.
            if (stream.Head is { } head && stream.Sending.IsCompleted && !stream.Knows(head, time))
                stream.Sending = BeatAsync(stream, head, cancellation);
        }
    }

    private async Task BeatAsync(Told stream, Heartbeat head, CancellationToken cancellation)
    {
        if (await bus.PublishAsync(head, cancellation))
            stream.Is(head, time.GetTimestamp());
    }

    private Task FinishAsync() => Task.WhenAll(_streams.Values.Select(s => s.Sending));

    private Told Of(StreamName name)
    {
        if (!_streams.TryGetValue(name, out var stream))
            _streams.Add(name, stream = new Told());
        return stream;
    }

    /// <summary>What replicas were told of a stream, and what there is to tell.</summary>
    private sealed class Told
    {
        private (Heartbeat Head, long At)? _told;

        /// <summary>Where it is; null: nothing may be told of it.</summary>
        public Heartbeat? Head { get; set; }

        /// <summary>The last of what was sent, which was sent after all before it.</summary>
        public Task Sending { get; set; } = Task.CompletedTask;

        /// <summary>This was told, and RabbitMQ has it.</summary>
        public void Is(Heartbeat head, long at) => _told = (head, at);

        /// <summary>Whether it was told lately.</summary>
        public bool Knows(Heartbeat head, TimeProvider time) => _told is var (told, at) && told == head && time.GetElapsedTime(at) < Old;
    }
}
