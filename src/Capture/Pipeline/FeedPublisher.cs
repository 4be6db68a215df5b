using Maplog.Bus;
using Maplog.Capture.Observing;
using Maplog.Events;
using Microsoft.Extensions.Hosting;

namespace Maplog.Capture.Pipeline;

/// <summary>
/// Sends what the feed holds, each stream's in order, and every second each stream's head, so that a replica that has missed the last
/// block before a silence knows. A head is told only when its block was sent or dropped: a beat never overtakes a block.
/// </summary>
internal sealed class FeedPublisher(BatchFeed feed, BusPublisher bus, CaptureMetrics metrics, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan BeatEvery = TimeSpan.FromSeconds(1), LastWordsWithin = TimeSpan.FromSeconds(2);

    private const int MostTogether = 32;

    private readonly Dictionary<StreamName, Heartbeat> _heads = [];
    private readonly Dictionary<StreamName, Task> _together = [];
    private int _terms;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await SendAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The capture has stopped before us: what is here is all there is.
            using var patience = new CancellationTokenSource(LastWordsWithin, time);
            try
            {
                while (feed.Waiting.TryRead(out var block))
                    await SendAsync(block, patience.Token);
                await BeatAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                // Replicas read the rest from the log.
            }
        }
    }

    private async Task SendAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(BeatEvery, time);
        var tick = timer.WaitForNextTickAsync(stopping).AsTask();
        var more = feed.Waiting.WaitToReadAsync(stopping).AsTask();
        while (true)
        {
            await Task.WhenAny(tick, more);
            if (more.IsCompleted)
            {
                await more;
                // Streams that rest are told of between the blocks of one that does not.
                while (!tick.IsCompleted && feed.Waiting.TryRead(out var block))
                    await BeginAsync(block, stopping);
                await FinishAsync();
                more = feed.Waiting.WaitToReadAsync(stopping).AsTask();
            }
            if (tick.IsCompleted)
            {
                await tick;
                await BeatAsync(stopping);
                tick = timer.WaitForNextTickAsync(stopping).AsTask();
            }
        }
    }

    // RabbitMQ's word for a block takes as long as the block's own way: blocks of different streams are sent together. Those of
    // one stream follow each other, for their order.
    private async Task BeginAsync(BatchFeed.Outgoing waiting, CancellationToken cancellation)
    {
        if (_together.Count == MostTogether || _together.ContainsKey(waiting.Head.Stream))
            await FinishAsync();
        _together[waiting.Head.Stream] = SendAsync(waiting, cancellation);
    }

    private async Task FinishAsync()
    {
        var sending = _together.Values.ToArray();
        _together.Clear();
        await Task.WhenAll(sending);
    }

    private async Task SendAsync(BatchFeed.Outgoing waiting, CancellationToken cancellation)
    {
        if (waiting.Term == feed.Terms)
            _heads[waiting.Head.Stream] = waiting.Head;
        var began = time.GetTimestamp();
        if (await bus.PublishAsync(waiting.Head.Stream, waiting.Block, cancellation))
            metrics.Published(time.GetElapsedTime(began));
    }

    private async Task BeatAsync(CancellationToken cancellation)
    {
        if (_terms != feed.Terms)
        {
            _terms = feed.Terms;
            _heads.Clear();
        }
        foreach (var dropped in feed.TakeDropped())
        {
            if (!_heads.TryGetValue(dropped.Stream, out var told) || told.Head < dropped.Head)
                _heads[dropped.Stream] = dropped;
        }
        // Together: RabbitMQ's word for each is waited for, and blocks wait behind them.
        await Task.WhenAll(_heads.Values.Select(head => bus.PublishAsync(head, cancellation)));
    }
}
