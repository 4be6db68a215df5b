using Maplog.Bus;
using Maplog.Events;
using Maplog.Servers;
using RabbitMQ.Client;
using Xunit;

namespace Maplog.Tests.Integration.Bus;

public sealed class BusTests(TestRabbitMq rabbit)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Blocks_arrive_in_order_byte_for_byte()
    {
        await using var bed = await StartAsync();
        var sent = Enumerable.Range(0, 500).Select(i => BusBed.Block(bed.Stream, 1 + 3 * i, valueSize: 200)).ToList();

        foreach (var block in sent)
            Assert.True(await bed.Publisher.SendAsync(bed.Stream, block));

        await BusBed.UntilAsync(() => bed.Received.Blocks.Count == sent.Count);
        Assert.Equal(sent, bed.Received.Blocks);
        Assert.Equal(500, bed.Publisher.PublishedBlocks);
        Assert.Equal(0, bed.Publisher.DroppedBlocks);
    }

    [Fact]
    public async Task A_heartbeat_comes_after_the_blocks_sent_before_it()
    {
        await using var bed = await StartAsync();
        var beat = new Heartbeat(bed.Stream, new Epoch(1), new StreamVersion(6), DateTimeOffset.UnixEpoch.AddSeconds(1));

        Assert.True(await bed.Publisher.SendAsync(bed.Stream, BusBed.Block(bed.Stream, 1)));
        Assert.True(await bed.Publisher.SendAsync(bed.Stream, BusBed.Block(bed.Stream, 4)));
        Assert.True(await bed.Publisher.PublishAsync(beat.Stream.Source, [beat.ToBytes()], Cancellation));
        Assert.True(await bed.Publisher.SendAsync(bed.Stream, BusBed.Block(bed.Stream, 7)));

        await BusBed.UntilAsync(() => bed.Received.Order.Count == 4);
        Assert.Equal(["block 1", "block 4", "beat 6", "block 7"], bed.Received.Order);
        Assert.Equal([beat], bed.Received.Beats);
    }

    [Fact]
    public async Task A_subscription_hears_all_streams_of_its_source_in_order_and_no_other_source()
    {
        await using var bed = await StartAsync();
        var (second, foreign) = (new StreamName(bed.Stream.Source, "other"), BusBed.NewStream());
        var beat = new Heartbeat(second, new Epoch(1), new StreamVersion(12), DateTimeOffset.UnixEpoch);

        Assert.True(await bed.Publisher.SendAsync(foreign, BusBed.Block(foreign, 90)));
        Assert.True(await bed.Publisher.PublishAsync(bed.Stream.Source, [BusBed.Block(bed.Stream, 1), BusBed.Block(second, 10), beat.ToBytes(), BusBed.Block(bed.Stream, 4)], Cancellation));
        Assert.True(await bed.Publisher.SendAsync(second, BusBed.Block(second, 13)));

        await BusBed.UntilAsync(() => bed.Received.Order.Count == 5);
        Assert.Equal(["block 1", "block 10", "beat 12", "block 4", "block 13"], bed.Received.Order);
        Assert.Equal(5, bed.Publisher.PublishedBlocks); // a heartbeat is none
    }

    [Fact]
    public async Task Of_a_message_that_breaks_off_what_comes_before_is_heard_and_the_whole_is_kept_aside()
    {
        await using var bed = await StartAsync();
        byte[] broken = [.. BusBed.Block(bed.Stream, 1), .. BusBed.Block(bed.Stream, 4).AsSpan(0, 60)];

        Assert.True(await bed.Publisher.SendAsync(bed.Stream, broken));
        Assert.True(await bed.Publisher.SendAsync(bed.Stream, BusBed.Block(bed.Stream, 7)));

        await BusBed.UntilAsync(() => bed.Received.Order.Count == 3);
        Assert.Equal(["block 1", "broken", "block 7"], bed.Received.Order);
        Assert.Equal([broken], await DrainAsync($"maplog.{bed.Stream.Source}.node-1.broken"));
    }

    [Fact]
    public async Task A_broken_message_is_kept_aside_and_the_next_ones_still_arrive()
    {
        await using var bed = await StartAsync();
        var broken = BusBed.Block(bed.Stream, 1);
        broken[^10] ^= 1;
        var newer = BusBed.Block(bed.Stream, 4);
        newer[3] = 9;
        var next = BusBed.Block(bed.Stream, 7);
        var foreign = BusBed.Block(BusBed.NewStream(), 1);

        foreach (var block in new[] { broken, newer, [], foreign, next })
            Assert.True(await bed.Publisher.SendAsync(bed.Stream, block));

        await BusBed.UntilAsync(() => bed.Received.Blocks.Count == 1);
        Assert.Equal(["broken", "broken", "broken", "broken", "block 7"], bed.Received.Order);
        Assert.Contains("damaged", bed.Received.Broken.First(), StringComparison.Ordinal);
        Assert.Contains("layout 9", bed.Received.Broken.ElementAt(1), StringComparison.Ordinal);
        Assert.Equal(4, bed.Subscription.BrokenMessages);
        Assert.Equal([broken, newer, [], foreign], await DrainAsync($"maplog.{bed.Stream.Source}.node-1.broken"));
    }

    [Fact]
    public async Task What_another_program_puts_into_the_queue_is_kept_aside()
    {
        await using var bed = await StartAsync();
        await UsingAsync(async channel =>
        {
            foreach (var type in new[] { null, "application/json", "application/vnd.masstransit+json", "not a type" })
            {
                var properties = new BasicProperties { ContentType = type };
                await channel.BasicPublishAsync($"maplog.{bed.Stream.Source}", "events", true, properties, "{}"u8.ToArray(), Cancellation);
            }
        });
        var next = BusBed.Block(bed.Stream, 1);
        Assert.True(await bed.Publisher.SendAsync(bed.Stream, next));

        await BusBed.UntilAsync(() => bed.Received.Blocks.Count == 1);
        Assert.Equal(["broken", "broken", "broken", "broken", "block 1"], bed.Received.Order);
        Assert.Equal(4, (await DrainAsync($"maplog.{bed.Stream.Source}.node-1.broken")).Count);
    }

    [Fact]
    public async Task A_queue_nobody_reads_keeps_the_newest_up_to_its_bound()
    {
        var uri = await UriAsync();
        var options = new BusOptions { Uri = uri, QueueBytes = 1 << 20 };
        var stream = BusBed.NewStream();
        await using var publisher = new BusPublisher(options);
        await publisher.StartAsync(Cancellation);
        {
            await using var subscription = BusBed.Listen(options, stream, new Received().Handlers);
            await BusBed.UntilAsync(() => subscription.IsConnected);
        }
        for (var i = 0; i < 40; i++)
            Assert.True(await publisher.SendAsync(stream, BusBed.Block(stream, 1 + i, count: 1, valueSize: 100_000)));

        var received = new Received();
        await using var again = BusBed.Listen(options, stream, received.Handlers);
        await BusBed.UntilAsync(() => received.Order.LastOrDefault() == "block 40");
        Assert.InRange(received.Order.Count, 1, 10);
        Assert.Equal(Enumerable.Range(41 - received.Order.Count, received.Order.Count).Select(i => $"block {i}"), received.Order);
    }

    [Fact]
    public async Task A_queue_that_is_deleted_is_made_again()
    {
        await using var bed = await StartAsync();
        await UsingAsync(channel => channel.QueueDeleteAsync($"maplog.{bed.Stream.Source}.node-1", false, false, false, Cancellation));
        var version = 1;

        while (bed.Received.Blocks.IsEmpty)
        {
            Assert.True(await bed.Publisher.SendAsync(bed.Stream, BusBed.Block(bed.Stream, version++)));
            await Task.Delay(50, Cancellation);
        }
    }

    [Fact]
    public async Task When_a_queue_goes_nothing_of_it_is_left()
    {
        await using var bed = await StartAsync();
        var name = $"maplog.{bed.Stream.Source}.node-1";
        Assert.Contains(name, await rabbit.ControlAsync("list_exchanges", "name"), StringComparison.Ordinal);
        await bed.Subscription.DisposeAsync();
        Assert.Contains(name, await rabbit.ControlAsync("list_queues", "name"), StringComparison.Ordinal);

        await UsingAsync(channel => channel.QueueDeleteAsync(name, false, false, false, Cancellation));

        Assert.DoesNotContain(name, await rabbit.ControlAsync("list_exchanges", "name"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_exchange_that_is_deleted_is_made_again()
    {
        await using var bed = await StartAsync();
        Assert.True(await bed.Publisher.SendAsync(bed.Stream, BusBed.Block(bed.Stream, 1)));
        await UsingAsync(channel => channel.ExchangeDeleteAsync($"maplog.{bed.Stream.Source}", false, false, Cancellation));

        await bed.Publisher.InsistAsync(bed.Stream, BusBed.Block(bed.Stream, 4));
    }

    [Fact]
    public async Task A_handler_that_throws_ends_the_subscription_with_what_it_threw()
    {
        await using var bed = await StartAsync(new SubscriptionHandlers
        {
            Block = (_, _) => throw new InvalidDataException("the map is frozen"),
            Beat = (_, _) => Task.CompletedTask,
            Broken = (_, _) => Task.CompletedTask,
        });
        Assert.True(await bed.Publisher.SendAsync(bed.Stream, BusBed.Block(bed.Stream, 1)));
        var failure = await Assert.ThrowsAsync<InvalidDataException>(() => bed.Subscription.Completion);
        Assert.Equal("the map is frozen", failure.Message);
    }

    [Fact]
    public async Task What_is_not_handled_when_a_subscription_ends_waits_for_the_next_one()
    {
        var begun = new TaskCompletionSource();
        await using var bed = await StartAsync(new SubscriptionHandlers
        {
            Block = async (_, stopped) =>
            {
                begun.TrySetResult();
                await Task.Delay(Timeout.Infinite, stopped);
            },
            Beat = (_, _) => Task.CompletedTask,
            Broken = (_, _) => Task.CompletedTask,
        });
        for (var i = 1; i <= 5; i++)
            Assert.True(await bed.Publisher.SendAsync(bed.Stream, BusBed.Block(bed.Stream, i, count: 1)));
        await begun.Task;
        await bed.Subscription.DisposeAsync();

        var received = new Received();
        await using var next = BusBed.Listen(BusBed.OptionsFor(rabbit.Uri), bed.Stream, received.Handlers);
        await BusBed.UntilAsync(() => received.Order.Count == 5);
        Assert.Equal(["block 1", "block 2", "block 3", "block 4", "block 5"], received.Order);
    }

    [Fact]
    public async Task A_block_larger_than_RabbitMQ_takes_is_left_to_the_log()
    {
        await using var bed = await StartAsync();
        Assert.False(await bed.Publisher.SendAsync(bed.Stream, BusBed.Block(bed.Stream, 1, count: 1, valueSize: 16 << 20)));
        Assert.Equal(1, bed.Publisher.DroppedBlocks);
        Assert.True(await bed.Publisher.SendAsync(bed.Stream, BusBed.Block(bed.Stream, 1)));
    }

    private async Task<Uri> UriAsync()
    {
        await rabbit.StartAsync();
        return rabbit.Uri;
    }

    private async Task<Bed> StartAsync(SubscriptionHandlers? handlers = null) => await Bed.StartAsync(await UriAsync(), handlers);

    private async Task UsingAsync(Func<IChannel, Task> use)
    {
        await using var connection = await new ConnectionFactory { Uri = await UriAsync() }.CreateConnectionAsync(Cancellation);
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true), Cancellation);
        await use(channel);
    }

    private async Task<List<byte[]>> DrainAsync(string queue)
    {
        var bodies = new List<byte[]>();
        await UsingAsync(async channel =>
        {
            while (await channel.BasicGetAsync(queue, autoAck: true, Cancellation) is { } message)
                bodies.Add(message.Body.ToArray());
        });
        return bodies;
    }
}
