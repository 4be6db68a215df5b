using System.Collections.Concurrent;
using Maplog.Bus;
using Maplog.Events;
using Xunit;

namespace Maplog.Tests.Integration.Bus;

/// <summary>What the tests of the bus have in common: blocks to send, a subscription that notes what came, and patience.</summary>
internal static class BusBed
{
    public static BusOptions OptionsFor(Uri uri) => new() { Uri = uri };

    /// <summary>A stream nobody else uses: exchange and queues are its own.</summary>
    public static StreamName NewStream() => new($"s{Guid.NewGuid():N}", "ct.map_1");

    /// <summary>A block of updates of 8-byte keys and values of the wanted size.</summary>
    public static byte[] Block(StreamName stream, long first, int count = 3, int valueSize = 16)
    {
        using var writer = new ChangeBlockWriter();
        writer.Begin(stream, new Epoch(1), new StreamVersion(first), 8, valueSize);
        var value = new byte[valueSize];
        for (var i = 0; i < count; i++)
        {
            Random.Shared.NextBytes(value);
            writer.AddChange(EventKind.EntryUpdated, BitConverter.GetBytes(first + i), value);
        }
        return writer.Finish(DateTimeOffset.UnixEpoch).ToArray();
    }

    /// <summary>Waits as long as it takes; a test that hangs is ended by the runner.</summary>
    public static async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
            await Task.Delay(20, TestContext.Current.CancellationToken);
    }

    /// <summary>A block as a message of its own.</summary>
    public static Task<bool> SendAsync(this BusPublisher publisher, StreamName stream, byte[] block) =>
        publisher.PublishAsync(stream.Source, [block], TestContext.Current.CancellationToken);

    /// <summary>Sends one block again and again until RabbitMQ takes it.</summary>
    public static async Task InsistAsync(this BusPublisher publisher, StreamName stream, byte[] block)
    {
        while (!await publisher.SendAsync(stream, block))
            await Task.Delay(50, TestContext.Current.CancellationToken);
    }

    /// <summary>Listens as a node does.</summary>
    public static BusSubscription Listen(BusOptions options, StreamName stream, SubscriptionHandlers handlers, string node = "node-1") =>
        BusSubscription.Start(options, stream.Source, node, handlers);
}

/// <summary>Notes everything that a subscription hands on.</summary>
internal sealed class Received
{
    public ConcurrentQueue<byte[]> Blocks { get; } = [];

    public ConcurrentQueue<Heartbeat> Beats { get; } = [];

    public ConcurrentQueue<string> Broken { get; } = [];

    public ConcurrentQueue<string> Order { get; } = [];

    public SubscriptionHandlers Handlers => new()
    {
        Block = (block, _) =>
        {
            Order.Enqueue($"block {block.First}");
            Blocks.Enqueue(block.Bytes.ToArray());
            return Task.CompletedTask;
        },
        Beat = (beat, _) =>
        {
            Order.Enqueue($"beat {beat.Head}");
            Beats.Enqueue(beat);
            return Task.CompletedTask;
        },
        Broken = (problem, _) =>
        {
            Order.Enqueue("broken");
            Broken.Enqueue(problem);
            return Task.CompletedTask;
        },
    };
}
