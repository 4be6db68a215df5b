using System.Security.Cryptography;
using System.Text;
using Maplog.Bus;
using Maplog.Configuration;
using Maplog.Events;
using Microsoft.Extensions.Logging;

namespace Maplog.Replicator.Following;

/// <summary>What a replica hears by RabbitMQ, in a queue of its own that stays while the replicator is away.</summary>
internal sealed class RabbitFeed(BusOptions options, NodeOptions node, TimeProvider time, ILoggerFactory logs) : IBusFeed
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(30);

    private readonly ILogger _log = logs.CreateLogger<RabbitFeed>();

    public async Task RunAsync(StreamName stream, string pin, ReplicaInbox inbox, CancellationToken cancellation)
    {
        // Two replicas of one stream on one host hear everything each.
        var reader = $"{node.Name}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(pin)).AsSpan(0, 4))}";
        var handlers = new SubscriptionHandlers
        {
            Block = (block, token) => inbox.PutAsync(new InboxItem(Block: block), token).AsTask(),
            Beat = (beat, token) => inbox.PutAsync(new InboxItem(Beat: beat), token).AsTask(),
            Broken = (why, token) => inbox.PutAsync(new InboxItem(Broken: why), token).AsTask(),
        };
        await using var subscriber = new BusSubscriber(options, reader, logs.CreateLogger<BusSubscriber>(), time);
        await StartAsync(subscriber, stream, cancellation);
        await using var subscription = subscriber.Subscribe(stream, handlers);
        await Task.Delay(Timeout.Infinite, cancellation);
    }

    /// <summary>A refused login does not end a replica: it follows the log, and somebody may mend the login.</summary>
    private async Task StartAsync(BusSubscriber subscriber, StreamName stream, CancellationToken cancellation)
    {
        for (string? said = null; ;)
        {
            try
            {
                var problem = await subscriber.StartAsync(cancellation);
                if (problem is not null)
                    _log.BusAway(stream, problem);
                return;
            }
            catch (BusRefusedException e)
            {
                if (said != e.Message)
                    _log.BusRefused(stream, said = e.Message);
                await Task.Delay(Retry, time, cancellation);
            }
        }
    }
}
