using System.Globalization;
using Maplog.Bus;
using Maplog.Capture;
using Maplog.Capture.Observing;
using Maplog.Capture.Pipeline;
using Maplog.Events;
using Maplog.Log;
using Maplog.Servers;
using RabbitMQ.Client;
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
        await using var bed = await StartAsync();
        for (var round = 0; round < 50; round++)
            bed.Commit(Enumerable.Range(0, Streams));

        foreach (var heard in bed.Heard)
        {
            await BusBed.UntilAsync(() => heard.Order.LastOrDefault() == "beat 100");
            Assert.Equal(Enumerable.Range(0, 50).Select(i => $"block {1 + 2 * i}"), heard.Order.Where(o => o.StartsWith("block", StringComparison.Ordinal)));
            var version = 0L;
            foreach (var word in heard.Order.Select(o => o.Split(' ')))
            {
                var named = long.Parse(word[1], CultureInfo.InvariantCulture);
                Assert.True(word[0] == "block" || named == version, $"A beat of {named} after version {version}.");
                version = word[0] == "block" ? named + 1 : version;
            }
        }
    }

    [Fact]
    public async Task A_stream_that_rests_is_told_of_more_often_than_one_whose_blocks_go()
    {
        await using var bed = await StartAsync();
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
        await using var bed = await StartAsync(startPublisher: false);
        while (bed.Feed.Dropped == 0)
            bed.Commit([0], valueSize: 500_000);
        Assert.InRange(bed.Committed(0) * 500_000L, 64 << 20, 68 << 20);
        await bed.Publisher.StartAsync(TestContext.Current.CancellationToken);
        await BusBed.UntilAsync(() => bed.Heard[0].Beats.LastOrDefault()?.Head.Value == bed.Committed(0));
        // And again and again, though the blocks that did wait are older.
        var heard = bed.Heard[0].Beats.Count;
        await BusBed.UntilAsync(() => bed.Heard[0].Beats.Count >= heard + 2);
        Assert.Equal(bed.Committed(0), bed.Heard[0].Beats.Last().Head.Value);
    }

    [Fact]
    public async Task What_waited_together_goes_as_one_message()
    {
        await using var bed = await StartAsync(startPublisher: false);
        await using var connection = await new ConnectionFactory { Uri = bed.Uri }.CreateConnectionAsync(TestContext.Current.CancellationToken);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: TestContext.Current.CancellationToken);
        var copies = (await channel.QueueDeclareAsync(cancellationToken: TestContext.Current.CancellationToken)).QueueName;
        await channel.QueueBindAsync(copies, $"maplog.{_source}", "events", cancellationToken: TestContext.Current.CancellationToken);
        bed.Commit(Enumerable.Range(0, Streams), valueSize: 10_000);
        bed.Commit(Enumerable.Range(0, Streams), valueSize: 10_000);

        await bed.Publisher.StartAsync(TestContext.Current.CancellationToken);
        await BusBed.UntilAsync(() => bed.Heard.All(h => h.Blocks.Count == 2));

        // 80 blocks of 20,000 bytes: two messages of a mebibyte at most, or three if a look for heartbeats came between.
        Assert.InRange((await BodiesAsync(channel, copies)).Count(b => b.AsSpan().StartsWith("mlb"u8)), 2, 3);
    }

    [Fact]
    public async Task No_message_is_larger_than_it_may_be_and_no_block_that_fits_is_left_out()
    {
        await using var bed = await StartAsync(startPublisher: false, most: 50_000);
        await using var connection = await new ConnectionFactory { Uri = bed.Uri }.CreateConnectionAsync(TestContext.Current.CancellationToken);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: TestContext.Current.CancellationToken);
        var copies = (await channel.QueueDeclareAsync(cancellationToken: TestContext.Current.CancellationToken)).QueueName;
        await channel.QueueBindAsync(copies, $"maplog.{_source}", "events", cancellationToken: TestContext.Current.CancellationToken);
        bed.Commit(Enumerable.Range(0, Streams), valueSize: 10_000);
        bed.Commit([0], valueSize: 30_000); // does not fit
        bed.Commit(Enumerable.Range(0, Streams), valueSize: 24_000);

        await bed.Publisher.StartAsync(TestContext.Current.CancellationToken);
        await BusBed.UntilAsync(() => bed.Heard.All(h => h.Blocks.Count == 2 && h.Beats.LastOrDefault() is not null));

        Assert.Equal(1, bed.Bus.DroppedBlocks);
        Assert.Equal(["block 1", "block 5"], bed.Heard[0].Order.Where(o => o.StartsWith("block", StringComparison.Ordinal)));
        Assert.All(await BodiesAsync(channel, copies), b => Assert.InRange(b.Length, 1, 50_000));
    }

    private static async Task<List<byte[]>> BodiesAsync(IChannel channel, string queue)
    {
        var bodies = new List<byte[]>();
        while (await channel.BasicGetAsync(queue, autoAck: true, TestContext.Current.CancellationToken) is { } message)
            bodies.Add(message.Body.ToArray());
        return bodies;
    }

    private async Task<World> StartAsync(bool startPublisher = true, int most = 16 << 20)
    {
        var world = new World(_source, new BusOptions { Uri = await rabbit.CreateVirtualHostAsync("feed"), MaxMessageBytes = most });
        await world.StartAsync(startPublisher);
        return world;
    }

    private sealed class World(string source, BusOptions options) : IAsyncDisposable
    {
        private readonly BusPublisher _bus = new(options);
        private readonly StreamHandle[] _streams = [.. Enumerable.Range(0, Streams).Select(i => new StreamHandle(new StreamName(source, $"m{i}")))];
        private readonly long[] _heads = new long[Streams];
        private readonly EventBatch _batch = new();
        private readonly LogStore _store = new(new LogOptions { ConnectionString = "Host=127.0.0.1;Port=1" });
        private BusSubscription? _subscription;
        private CaptureMetrics? _metrics;

        public Uri Uri => options.Uri!;

        public BusPublisher Bus => _bus;

        public BatchFeed Feed { get; } = new();

        public FeedPublisher Publisher { get; private set; } = null!;

        /// <summary>What was heard of each stream.</summary>
        public Received[] Heard { get; } = [.. Enumerable.Range(0, Streams).Select(_ => new Received())];

        public long Committed(int stream) => _heads[stream];

        public async Task StartAsync(bool startPublisher)
        {
            await _bus.StartAsync(TestContext.Current.CancellationToken);
            var of = _streams.Zip(Heard).ToDictionary(s => s.First.Name, s => s.Second.Handlers);
            var handlers = new SubscriptionHandlers
            {
                Block = (block, token) => of[block.Stream].Block(block, token),
                Beat = (beat, token) => of[beat.Stream].Beat(beat, token),
                Broken = (why, token) => of.Values.First().Broken(why, token),
            };
            _subscription = BusSubscription.Start(options, source, "node-1", handlers);
            await BusBed.UntilAsync(() => _subscription.IsConnected);
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
            if (_subscription is not null)
                await _subscription.DisposeAsync();
            await _bus.DisposeAsync();
            _metrics?.Dispose();
            Feed.Dispose();
            _batch.Dispose();
            await _store.DisposeAsync();
        }
    }
}
