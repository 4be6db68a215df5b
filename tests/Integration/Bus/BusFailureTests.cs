using Maplog.Bus;
using Maplog.Events;
using Xunit;

namespace Maplog.Tests.Integration.Bus;

/// <summary>With a server of their own, which they stop, kill and misuse, one test after the other.</summary>
public sealed class BusFailureTests(OwnRabbitMq server) : IClassFixture<OwnRabbitMq>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_a_restart_and_after_a_kill_of_RabbitMQ_publishing_and_listening_go_on()
    {
        await server.StartAsync();
        await using var bed = await Bed.StartAsync(server.Uri);
        Assert.True(await bed.Publisher.SendAsync(bed.Stream, BusBed.Block(bed.Stream, 1)));
        await BusBed.UntilAsync(() => bed.Received.Blocks.Count == 1);

        Func<Task>[] mishaps = [server.RestartAsync, async () => { await server.KillAsync(); await server.StartAsync(); }];
        for (var i = 0; i < mishaps.Length; i++)
        {
            await mishaps[i]();
            var first = 10 * (i + 1);
            // What is sent before the subscription is back may be lost; the log has it.
            while (!bed.Received.Order.Contains($"block {first}"))
                await bed.Publisher.InsistAsync(bed.Stream, BusBed.Block(bed.Stream, first));
            await BusBed.UntilAsync(() => bed.Publisher.Problem is null && bed.Subscription.Problem is null);
        }
        // One of the publisher, one of the subscription: those that lost theirs have not come back beside them.
        var connections = await server.ControlAsync("list_connections", "name");
        Assert.Equal(2, connections.Split('\n').Count(line => line.Contains("->", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task While_RabbitMQ_is_away_a_publish_returns_promptly_and_is_counted()
    {
        await server.StartAsync();
        await using var bed = await Bed.StartAsync(server.Uri);
        Assert.True(await bed.Publisher.SendAsync(bed.Stream, BusBed.Block(bed.Stream, 1)));

        await server.KillAsync();
        var block = BusBed.Block(bed.Stream, 4);
        Assert.False(await bed.Publisher.SendAsync(bed.Stream, block));
        Assert.False(bed.Publisher.IsConnected);
        // Now known to be away: no attempt is made, so the task is done when it is returned.
        for (var i = 0; i < 10_000; i++)
        {
            var publishing = bed.Publisher.SendAsync(bed.Stream, block);
            Assert.True(publishing.IsCompletedSuccessfully);
            Assert.False(await publishing);
        }
        Assert.Equal(10_001, bed.Publisher.DroppedBlocks);
        Assert.StartsWith("RabbitMQ at 127.0.0.1:", bed.Publisher.Problem, StringComparison.Ordinal);
        Assert.False(bed.Publisher.IsRefused);
        await BusBed.UntilAsync(() => !bed.Subscription.IsConnected);
    }

    [Fact]
    public async Task RabbitMQ_may_come_after_those_who_use_it()
    {
        await server.StartAsync();
        var options = BusBed.OptionsFor(server.Uri);
        await server.StopAsync();
        var stream = BusBed.NewStream();
        var received = new Received();
        await using var publisher = new BusPublisher(options);
        await publisher.StartAsync(Cancellation);
        Assert.Contains("cannot be reached", await new BusServer(options).TryAsync(Cancellation), StringComparison.Ordinal);
        await using var subscription = BusBed.Listen(options, stream, received.Handlers);
        Assert.False(await publisher.SendAsync(stream, BusBed.Block(stream, 1)));

        await server.StartAsync();
        while (received.Blocks.IsEmpty)
            await publisher.InsistAsync(stream, BusBed.Block(stream, 1));
    }

    [Fact]
    public async Task A_refused_login_is_a_failure_with_a_sentence_and_not_taken_for_an_absence()
    {
        await server.StartAsync();
        var wrong = BusBed.OptionsFor(new UriBuilder(server.Uri) { Password = "wrong" }.Uri);
        await using var publisher = new BusPublisher(wrong);
        await publisher.StartAsync(Cancellation);
        Assert.True(publisher.IsRefused);
        var refused = await Assert.ThrowsAsync<BusRefusedException>(() => new BusServer(wrong).TryAsync(Cancellation));
        Assert.Equal(refused.Message, publisher.Problem);
        Assert.StartsWith("RabbitMQ at 127.0.0.1:", refused.Message, StringComparison.Ordinal);
        Assert.Contains("refused the login of user 'maplog'", refused.Message, StringComparison.Ordinal);
        await using var subscription = BusBed.Listen(wrong, BusBed.NewStream(), new Received().Handlers);
        await BusBed.UntilAsync(() => subscription.IsRefused);
        Assert.Equal(refused.Message, subscription.Problem);

        var noHost = BusBed.OptionsFor(server.UriOf("nowhere"));
        refused = await Assert.ThrowsAsync<BusRefusedException>(() => new BusServer(noHost).TryAsync(Cancellation));
        Assert.Contains("the virtual host 'nowhere'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_permission_is_told_and_healed_when_it_is_given()
    {
        await server.StartAsync();
        await server.CreateUserAsync("guarded", "secret");
        await server.ControlAsync("set_permissions", "-p", "/", "guarded", "", "", "");
        var options = BusBed.OptionsFor(new UriBuilder(server.Uri) { UserName = "guarded", Password = "secret" }.Uri);
        var stream = BusBed.NewStream();
        var received = new Received();
        await using var publisher = new BusPublisher(options);
        await publisher.StartAsync(Cancellation);
        await using var subscription = BusBed.Listen(options, stream, received.Handlers);

        await BusBed.UntilAsync(() => subscription.IsRefused);
        Assert.Contains("refused user 'guarded'", subscription.Problem, StringComparison.Ordinal);
        Assert.False(await publisher.SendAsync(stream, BusBed.Block(stream, 1)));
        await BusBed.UntilAsync(() => publisher.IsRefused);
        Assert.Contains("refused user 'guarded'", publisher.Problem, StringComparison.Ordinal);

        await server.ControlAsync("set_permissions", "-p", "/", "guarded", "^maplog\\.", "^(maplog\\..*|amq\\.default)$", "^maplog\\.");
        while (received.Blocks.IsEmpty)
            await publisher.InsistAsync(stream, BusBed.Block(stream, 1));
        await BusBed.UntilAsync(() => subscription.Problem is null && publisher.Problem is null);
    }

    [Fact]
    public async Task An_exchange_of_the_type_that_an_earlier_version_made_is_made_anew()
    {
        await server.StartAsync();
        var stream = BusBed.NewStream();
        await DeclareExchangeAsync(stream, "topic");
        var options = BusBed.OptionsFor(server.Uri);
        var received = new Received();
        await using (var subscription = BusBed.Listen(options, stream, received.Handlers))
            await BusBed.UntilAsync(() => subscription.IsConnected);
        await DeclareExchangeAsync(stream, "topic", anew: true);
        await using var publisher = new BusPublisher(options);
        await publisher.StartAsync(TestContext.Current.CancellationToken);
        await publisher.InsistAsync(stream, BusBed.Block(stream, 1));
        await using var again = BusBed.Listen(options, stream, received.Handlers);
        await BusBed.UntilAsync(() => again.IsConnected);
        await publisher.InsistAsync(stream, BusBed.Block(stream, 4));
        await BusBed.UntilAsync(() => !received.Blocks.IsEmpty);
    }

    [Fact]
    public async Task An_exchange_of_another_type_is_told_with_the_exchange_to_delete()
    {
        await server.StartAsync();
        var stream = BusBed.NewStream();
        await DeclareExchangeAsync(stream, "headers");
        await using var subscription = BusBed.Listen(BusBed.OptionsFor(server.Uri), stream, new Received().Handlers);
        await BusBed.UntilAsync(() => subscription.IsRefused);
        Assert.Contains("Delete the exchange", subscription.Problem, StringComparison.Ordinal);
        Assert.DoesNotContain("queue", subscription.Problem, StringComparison.Ordinal);
    }

    private async Task DeclareExchangeAsync(StreamName stream, string type, bool anew = false)
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var connection = await new RabbitMQ.Client.ConnectionFactory { Uri = server.Uri }.CreateConnectionAsync(cancel);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancel);
        if (anew)
            await channel.ExchangeDeleteAsync($"maplog.{stream.Source}", cancellationToken: cancel);
        await channel.ExchangeDeclareAsync($"maplog.{stream.Source}", type, durable: true, autoDelete: false, cancellationToken: cancel);
    }

    [Fact]
    public async Task A_queue_made_with_other_limits_is_told_with_what_to_do()
    {
        await server.StartAsync();
        var stream = BusBed.NewStream();
        foreach (var bytes in new[] { 2 << 20, 4 << 20 })
        {
            await using var subscription = BusBed.Listen(new BusOptions { Uri = server.Uri, QueueBytes = bytes }, stream, new Received().Handlers);
            if (bytes == 2 << 20)
            {
                await BusBed.UntilAsync(() => subscription.IsConnected);
                continue;
            }
            await BusBed.UntilAsync(() => subscription.IsRefused);
            Assert.Contains("delete the queue", subscription.Problem, StringComparison.Ordinal);
        }
    }
}
