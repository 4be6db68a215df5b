using System.Security.Cryptography;
using System.Text;
using Maplog.Bus;
using Maplog.Configuration;
using Maplog.Events;
using Microsoft.Extensions.Logging;

namespace Maplog.Replicator.Following;

/// <summary>
/// What a replica hears by RabbitMQ, in a queue of its own that stays while the replicator is away. RabbitMQ being away or refusing
/// us does not end a replica: it follows the log, and the subscription says what is wrong and goes on trying.
/// </summary>
internal sealed class RabbitFeed(BusOptions options, NodeOptions node, TimeProvider time, ILoggerFactory logs) : IBusFeed
{
    private readonly BusSubscriber _subscriber = new(options, node.Name, logs.CreateLogger<BusSubscriber>(), time);

    public async Task RunAsync(StreamName stream, string pin, ReplicaInbox inbox, CancellationToken cancellation)
    {
        // Two replicas of one stream on one host hear everything each.
        var reader = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(pin)).AsSpan(0, 4));
        var handlers = new SubscriptionHandlers
        {
            Block = (block, token) => inbox.PutAsync(new InboxItem(Block: block), token).AsTask(),
            Beat = (beat, token) => inbox.PutAsync(new InboxItem(Beat: beat), token).AsTask(),
            Broken = (why, token) => inbox.PutAsync(new InboxItem(Broken: why), token).AsTask(),
        };
        await using var subscription = _subscriber.Subscribe(stream, handlers, reader: reader);
        await subscription.Completion.WaitAsync(cancellation);
    }
}
