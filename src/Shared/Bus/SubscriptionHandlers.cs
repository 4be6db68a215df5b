using Maplog.Events;

namespace Maplog.Bus;

/// <summary>What a subscription calls, one call at a time, in the order of arrival. A message is acknowledged when its call has ended; a call that throws ends the subscription.</summary>
public sealed class SubscriptionHandlers
{
    /// <summary>A block has come. It may be old, doubled, or ahead of what is expected: its versions say.</summary>
    public required Func<ChangeBlock, CancellationToken, Task> Block { get; init; }

    /// <summary>A heartbeat has come, after all the blocks that were sent before it.</summary>
    public required Func<Heartbeat, CancellationToken, Task> Beat { get; init; }

    /// <summary>A message has come that cannot be read, with a sentence why: which versions it held is unknown, so read the log.</summary>
    public required Func<string, CancellationToken, Task> Broken { get; init; }

    internal Task CallAsync(StreamName stream, BusMessage message, CancellationToken cancellation)
    {
        if (message.Type.MediaType == BusMessage.BeatType.MediaType)
        {
            if (!Heartbeat.TryRead(message.Body, out var beat, out var error))
                throw new BrokenMessageException(error);
            MustBe(stream, beat.Stream);
            return Beat(beat, cancellation);
        }
        else
        {
            if (!ChangeBlock.TryRead(message.Body, out var block, out var error))
                throw new BrokenMessageException(error);
            MustBe(stream, block.Stream);
            return Block(block, cancellation);
        }
    }

    private static void MustBe(StreamName wanted, StreamName found)
    {
        if (found != wanted)
            throw new BrokenMessageException($"The message is of stream {found} and came by the way of {wanted}.");
    }
}
