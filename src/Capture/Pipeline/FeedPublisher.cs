using System.Buffers;
using Maplog.Bus;
using Microsoft.Extensions.Hosting;

namespace Maplog.Capture.Pipeline;

/// <summary>
/// Sends what the feed holds, in order, and every second each stream's head, so that a replica that has missed the last
/// block before a silence knows.
/// </summary>
internal sealed class FeedPublisher(BatchFeed feed, BusPublisher bus, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan BeatEvery = TimeSpan.FromSeconds(1), LastWordsWithin = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.WhenAll(SendBlocksAsync(stoppingToken), SendBeatsAsync(stoppingToken));
    }

    private async Task SendBlocksAsync(CancellationToken stopping)
    {
        try
        {
            while (await feed.Waiting.WaitToReadAsync(stopping))
                await SendWaitingAsync(stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The capture has stopped before us: what is here is all there is.
            using var patience = new CancellationTokenSource(LastWordsWithin, time);
            try
            {
                await SendWaitingAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                // Replicas read the rest from the log.
            }
        }
    }

    private async Task SendWaitingAsync(CancellationToken cancellation)
    {
        while (feed.Waiting.TryRead(out var waiting))
        {
            await bus.PublishAsync(waiting.Stream, waiting.Block, cancellation);
            ArrayPool<byte>.Shared.Return(waiting.Block.Array!);
        }
    }

    private async Task SendBeatsAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(BeatEvery, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                foreach (var head in feed.Heads)
                    await bus.PublishAsync(head, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }
}
