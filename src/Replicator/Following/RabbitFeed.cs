using System.Security.Cryptography;
using System.Text;
using Maplog.Bus;
using Maplog.Configuration;
using Microsoft.Extensions.Logging;

namespace Maplog.Replicator.Following;

/// <summary>
/// Delivers RabbitMQ's messages to replicas, with one queue for each source, which stays while the replicator is away. No replica waits for
/// another replica: blocks without room in an inbox are read from the log. If RabbitMQ is not reachable or refuses us, a replica follows
/// the log; the subscription reports the problem and tries again.
/// </summary>
internal sealed class RabbitFeed(BusOptions options, NodeOptions node, TimeProvider time, ILoggerFactory logs) : IBusFeed
{
    public async Task RunAsync(string source, IReadOnlyList<Listener> replicas, CancellationToken cancellation)
    {
        var inboxes = replicas.ToLookup(r => r.Stream, r => r.Inbox);
        var handlers = new SubscriptionHandlers
        {
            Block = (block, _) => Put(inboxes[block.Stream], new InboxItem(Block: block)),
            Beat = (beat, _) => Put(inboxes[beat.Stream], new InboxItem(Beat: beat)),
            Broken = (why, _) => Put(replicas.Select(r => r.Inbox), new InboxItem(Broken: why)),
        };
        await using var subscription = BusSubscription.Start(options, source, $"{node.Name}-{Reader(replicas)}", handlers, logs.CreateLogger<BusSubscription>(), time);
        await subscription.Completion.WaitAsync(cancellation);
    }

    /// <summary>
    /// Two replicators of one host each receive everything, because they have no pin in common. The first replica stays while others come
    /// and go.
    /// </summary>
    private static string Reader(IReadOnlyList<Listener> replicas) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(replicas[0].Pin)).AsSpan(0, 4));

    private static Task Put(IEnumerable<ReplicaInbox> inboxes, InboxItem item)
    {
        foreach (var inbox in inboxes)
            inbox.TryPut(item);
        return Task.CompletedTask;
    }
}
