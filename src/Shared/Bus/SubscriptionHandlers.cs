namespace Maplog.Bus;

/// <summary>What a subscription calls, one call at a time, in the order of arrival. A message is acknowledged when its calls have ended; a call that throws ends the subscription.</summary>
public sealed class SubscriptionHandlers
{
    /// <summary>A block of one of the source's streams has come. It may be old, doubled, or ahead of what is expected: its versions say.</summary>
    public required Func<ChangeBlock, CancellationToken, Task> Block { get; init; }

    /// <summary>A heartbeat of one of the source's streams has come, after all the blocks that were sent before it.</summary>
    public required Func<Heartbeat, CancellationToken, Task> Beat { get; init; }

    /// <summary>A message has come that cannot be read, or not to its end, with a sentence why: of which streams it told is unknown, so read the log of all.</summary>
    public required Func<string, CancellationToken, Task> Broken { get; init; }

    internal async Task CallAsync(string source, BusMessage message, CancellationToken cancellation)
    {
        ReadOnlyMemory<byte> rest = message.Body;
        do
        {
            var part = BusMessage.TakeFirst(ref rest);
            string? error;
            if (BusMessage.IsBeat(part.Span))
            {
                if (!Heartbeat.TryRead(part.Span, out var beat, out error))
                    throw new BrokenMessageException(error);
                MustBe(source, beat.Stream.Source);
                await Beat(beat, cancellation);
            }
            else
            {
                // A block that waits for its replica is not to hold on to what came with it.
                if (part.Length < message.Body.Length)
                    part = part.ToArray();
                if (!ChangeBlock.TryRead(part, out var block, out error))
                    throw new BrokenMessageException(error);
                MustBe(source, block.Stream.Source);
                await Block(block, cancellation);
            }
        }
        while (!rest.IsEmpty);
    }

    private static void MustBe(string wanted, string found)
    {
        if (found != wanted)
            throw new BrokenMessageException($"The message belongs to source {found}, but came in the queue of {wanted}.");
    }
}
