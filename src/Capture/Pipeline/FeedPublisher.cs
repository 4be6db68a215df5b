using Maplog.Bus;
using Maplog.Capture.Observing;
using Maplog.Events;
using Microsoft.Extensions.Hosting;

namespace Maplog.Capture.Pipeline;

/// <summary>
/// Sends what the feed holds, in its order, what waited together as one message; and every second in which nothing else was told of a
/// stream its head, so that a replica that has missed the last block before a silence knows. A beat overtakes no block of its stream, but
/// for the head of what the feed had no room for.
/// </summary>
internal sealed class FeedPublisher(BatchFeed feed, BusPublisher bus, CaptureMetrics metrics, TimeProvider time) : BackgroundService
{
    // A beat a second: what was told at one look is old at the fourth after it.
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250), Old = TimeSpan.FromMilliseconds(900), LastWordsWithin = TimeSpan.FromSeconds(2);

    private readonly Dictionary<StreamName, Told> _streams = [];
    private readonly List<byte[]> _parts = []; // of the next message
    private readonly List<(Told Stream, Heartbeat Head)> _news = []; // what they tell
    private int _size;
    private int _terms;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var patience = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        await using var stop = stoppingToken.Register(() => patience.CancelAfter(LastWordsWithin));
        try
        {
            await SendUntilStoppedAsync(patience.Token, stoppingToken);
            // The capture has stopped before us: what is here is all there is.
            while (feed.TryTake(out var block))
                await AddAsync(block, patience.Token);
            await BeatAsync(patience.Token);
            await SendAsync(patience.Token);
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
                    await AddAsync(block, patience);
                more = feed.WaitAsync(stopping).AsTask();
            }
            if (tick.IsCompleted)
            {
                await BeatAsync(patience);
                tick = timer.WaitForNextTickAsync(stopping).AsTask();
            }
            await SendAsync(patience);
        }
    }

    private async Task AddAsync(BatchFeed.Outgoing waiting, CancellationToken cancellation)
    {
        var stream = Of(waiting.Head.Stream);
        ForgetEndedTerm();
        if (waiting.Term == _terms)
            stream.IsAt(waiting.Head);
        await AddAsync(waiting.Block, stream, waiting.Head, cancellation);
    }

    private async Task BeatAsync(CancellationToken cancellation)
    {
        // A block tells more.
        await SendAsync(cancellation);
        ForgetEndedTerm();
        foreach (var dropped in feed.TakeDropped())
            Of(dropped.Stream).IsAt(dropped);
        foreach (var stream in _streams.Values)
        {
            if (stream.Head is { } head && !stream.Knows(head, time))
                await AddAsync(head.ToBytes(), stream, head, cancellation);
        }
    }

    private void ForgetEndedTerm()
    {
        if (_terms == feed.Terms)
            return;
        _terms = feed.Terms;
        foreach (var stream in _streams.Values)
            stream.Head = null;
    }

    private async Task AddAsync(byte[] part, Told stream, Heartbeat head, CancellationToken cancellation)
    {
        if (_size + part.Length > bus.MessageBytes)
            await SendAsync(cancellation);
        _parts.Add(part);
        _news.Add((stream, head));
        _size += part.Length;
    }

    private async Task SendAsync(CancellationToken cancellation)
    {
        if (_parts.Count == 0)
            return;
        var began = time.GetTimestamp();
        if (await bus.PublishAsync(_news[0].Head.Stream.Source, _parts, cancellation))
        {
            metrics.Published(time.GetElapsedTime(began));
            foreach (var (stream, head) in _news)
                stream.Is(head, time.GetTimestamp());
        }
        _parts.Clear();
        _news.Clear();
        _size = 0;
    }

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

        /// <summary>It is there, or further: blocks that waited may be older than one that was dropped.</summary>
        public void IsAt(Heartbeat head)
        {
            if (Head is not { } known || known.Head < head.Head)
                Head = head;
        }

        /// <summary>This was told, and RabbitMQ has it.</summary>
        public void Is(Heartbeat head, long at) => _told = (head, at);

        /// <summary>Whether it was told lately.</summary>
        public bool Knows(Heartbeat head, TimeProvider time) => _told is var (told, at) && told == head && time.GetElapsedTime(at) < Old;
    }
}
