using Maplog.Bus;
using Maplog.Configuration;
using Maplog.Events;
using Maplog.Replicator.Following;
using Maplog.Servers;
using Maplog.Tests.Integration.Bus;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Maplog.Tests.Integration.Replicating;

/// <summary>One queue and many replicas.</summary>
public sealed class RabbitFeedTests(TestRabbitMq rabbit)
{
    private const int Flood = 100, BlockBytes = 1 << 20;

    [Fact]
    public async Task A_replica_that_takes_nothing_holds_up_no_other_and_two_of_one_map_hear_everything_each()
    {
        var options = BusBed.OptionsFor(await rabbit.CreateVirtualHostAsync("inboxes"));
        var (held, kept, foreign) = (new StreamName("lb-1", "held"), new StreamName("lb-1", "kept"), new StreamName("lb-1", "nobodys"));
        var (stuck, one, two) = (new ReplicaInbox(), new ReplicaInbox(), new ReplicaInbox());
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var hearing = new RabbitFeed(options, new NodeOptions { Name = "node-1" }, TimeProvider.System, NullLoggerFactory.Instance)
            .RunAsync("lb-1", [new(held, "/pin/held", stuck), new(kept, "/pin/one", one), new(kept, "/pin/two", two)], ended.Token);
        await using var publisher = new BusPublisher(options);
        await publisher.StartAsync(ended.Token);
        while (!one.TryTake(out _) | !two.TryTake(out _))
            await publisher.PublishAsync("lb-1", [new Heartbeat(kept, new Epoch(1), new StreamVersion(1), DateTimeOffset.UnixEpoch).ToBytes()], ended.Token);
        Drain(one);
        Drain(two);

        for (var i = 1; i <= Flood; i++)
        {
            await publisher.InsistAsync(held, BusBed.Block(held, i, count: 1, valueSize: BlockBytes));
            Assert.True(await publisher.PublishAsync("lb-1", [BusBed.Block(foreign, i, count: 1), BusBed.Block(kept, i, count: 1)], ended.Token));
        }

        var (first, second) = (new List<long>(), new List<long>());
        await BusBed.UntilAsync(() =>
        {
            first.AddRange(Drain(one));
            second.AddRange(Drain(two));
            return first.Count >= Flood && second.Count >= Flood;
        });
        Assert.Equal(Enumerable.Range(1, Flood).Select(v => (long)v), first);
        Assert.Equal(first, second);
        Assert.InRange(Drain(stuck).Count, ReplicaInbox.MostBytes / BlockBytes, ReplicaInbox.MostBytes / BlockBytes + 1);
        await ended.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => hearing);
    }

    private static List<long> Drain(ReplicaInbox inbox)
    {
        var versions = new List<long>();
        while (inbox.TryTake(out var item))
        {
            if (item.Block is { } block)
                versions.Add(block.First.Value);
        }
        return versions;
    }
}
