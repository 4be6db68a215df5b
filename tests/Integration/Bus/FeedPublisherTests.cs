using Maplog.Bus;
using Maplog.Capture;
using Maplog.Capture.Observing;
using Maplog.Capture.Pipeline;
using Maplog.Events;
using Maplog.Log;
using Maplog.Servers;
using Xunit;

namespace Maplog.Tests.Integration.Bus;

/// <summary>What capture sends of many streams at once.</summary>
public sealed class FeedPublisherTests(TestRabbitMq rabbit)
{
    private const int Streams = 40;

    private readonly string _source = $"s{Guid.NewGuid():N}";

    [Fact]
    public async Task Each_streams_blocks_come_in_order_and_then_its_head()
    {
        await using var bed = await StartAsync(rabbit, 0, Streams - 1);
        for (var round = 0; round < 50; round++)
            bed.Commit(Enumerable.Range(0, Streams));

        foreach (var heard in bed.Heard)
        {
            await BusBed.UntilAsync(() => heard.Order.LastOrDefault() == "beat 100");
            Assert.Equal(Enumerable.Range(0, 50).Select(i => $"block {1 + 2 * i}"), heard.Order.Where(o => o.StartsWith("block", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task A_stream_that_rests_is_told_of_more_often_than_one_whose_blocks_go()
    {
        await using var bed = await StartAsync(rabbit, 0, 1);
        bed.Commit([0, 1]);
        while (bed.Heard[1].Beats.Count < 4)
        {
            bed.Commit([0]);
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
        Assert.InRange(bed.Heard[0].Beats.Count, 0, 2);
    }

    [Fact]
    public async Task What_waits_for_the_bus_is_bounded_and_the_head_of_what_was_dropped_is_told()
    {
        await using var bed = await StartAsync(rabbit, startPublisher: false, 0);
        while (bed.Feed.Dropped == 0)
            bed.Commit([0], valueSize: 500_000);
        Assert.InRange(bed.Committed(0) * 500_000L, 64 << 20, 68 << 20);
        await bed.Publisher.StartAsync(TestContext.Current.CancellationToken);
        await BusBed.UntilAsync(() => bed.Heard[0].Beats.LastOrDefault()?.Head.Value == bed.Committed(0));
    }

    private Task<World> StartAsync(TestRabbitMq server, params int[] heard) => StartAsync(server, startPublisher: true, heard);

    private async Task<World> StartAsync(TestRabbitMq server, bool startPublisher, params int[] heard)
    {
        var uri = await server.CreateVirtualHostAsync("feed");
        var world = new World(_source, BusBed.OptionsFor(uri));
        await world.StartAsync(heard, startPublisher);
        return world;
    }

    private sealed class World(string source, BusOptions options) : IAsyncDisposable
    {
        private readonly BusPublisher _bus = new(options);
        private readonly StreamHandle[] _streams = [.. Enumerable.Range(0, Streams).Select(i => new StreamHandle(new StreamName(source, $"m{i}")))];
        private readonly long[] _heads = new long[Streams];
        private readonly List<BusSubscription> _subscriptions = [];
        private readonly EventBatch _batch = new();
        private readonly LogStore _store = new(new LogOptions { ConnectionString = "Host=127.0.0.1;Port=1" });
        private CaptureMetrics? _metrics;

        public BatchFeed Feed { get; } = new();

        public FeedPublisher Publisher { get; private set; } = null!;

        public List<Received> Heard { get; } = [];

        public long Committed(int stream) => _heads[stream];

        public async Task StartAsync(int[] heard, bool startPublisher)
        {
            await _bus.StartAsync(TestContext.Current.CancellationToken);
            foreach (var stream in heard)
            {
                Heard.Add(new Received());
                _subscriptions.Add(new BusSubscriber(options, "node-1").Subscribe(_streams[stream].Name, Heard[^1].Handlers));
            }
            await BusBed.UntilAsync(() => _subscriptions.TrueForAll(s => s.IsConnected));
            _metrics = new CaptureMetrics(new CaptureHealth(_store, new CaptureOptions(), TimeProvider.System), Feed, _bus);
            Publisher = new FeedPublisher(Feed, _bus, _metrics, TimeProvider.System);
            if (startPublisher)
                await Publisher.StartAsync(TestContext.Current.CancellationToken);
        }

        /// <summary>Two changes of each stream, as one batch.</summary>
        public void Commit(IEnumerable<int> streams, int valueSize = 16)
        {
            foreach (var stream in streams)
            {
                for (var i = 0; i < 2; i++)
                {
                    var value = new byte[valueSize];
                    var payload = _batch.AddChange(_streams[stream], new StreamVersion(++_heads[stream]), DateTimeOffset.UnixEpoch, EventKind.EntryUpdated, ChangePayload.Size(0, 8, valueSize));
                    ChangePayload.Write(payload, new ChangeHeader { Epoch = new Epoch(1) }, [], new byte[8], value);
                }
                Feed.Resume(_streams[stream], new MapShape(1, 8, valueSize, 100, 0, 0));
            }
            Feed.Publish(_batch, new Epoch(1));
            _batch.Clear();
        }

        public async ValueTask DisposeAsync()
        {
            await Publisher.StopAsync(TestContext.Current.CancellationToken);
            Publisher.Dispose();
            foreach (var subscription in _subscriptions)
                await subscription.DisposeAsync();
            await _bus.DisposeAsync();
            _metrics?.Dispose();
            Feed.Dispose();
            _batch.Dispose();
            await _store.DisposeAsync();
        }
    }
}
