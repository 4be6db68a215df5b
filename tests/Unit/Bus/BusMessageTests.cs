using CsCheck;
using Maplog.Bus;
using Maplog.Events;
using Xunit;

namespace Maplog.Tests.Unit.Bus;

/// <summary>Blocks and heartbeats of a source that travel together.</summary>
public sealed class BusMessageTests
{
    private const string Source = "lb-1";

    private static readonly Gen<SentBlock> Block = Blocks.Any.Select(b => b with { Stream = new StreamName(Source, b.Stream.Map) });

    private static readonly Gen<byte[]> Part = Block.Select(Gen.Bool, (block, isBeat) =>
    {
        if (isBeat)
            return new Heartbeat(block.Stream, block.Epoch, new StreamVersion(block.First), block.Newest).ToBytes();
        using var writer = new ChangeBlockWriter();
        return block.WriteTo(writer).ToArray();
    });

    private static readonly Gen<byte[][]> Parts = Part.Array[1, 5];

    [Fact]
    public void What_is_put_into_a_message_comes_out_in_its_order() =>
        Parts.Sample(sent => Assert.Equal(sent, Hear(BusMessage.Of(sent).Body).Heard));

    [Fact]
    public void Of_a_damaged_message_only_what_is_whole_and_before_the_damage_is_heard() =>
        Parts.Select(Gen.Int[0, int.MaxValue], Gen.Byte[1, 255]).Sample((sent, where, damage) =>
        {
            var body = BusMessage.Of(sent).Body.ToArray();
            var at = where % body.Length;
            body[at] ^= damage;

            var (heard, problem) = Hear(body);

            Assert.EndsWith(".", problem, StringComparison.Ordinal);
            Assert.Equal(sent.Take(heard.Count), heard);
            Assert.True(heard.Sum(p => p.Length) <= at);
        });

    [Fact]
    public void Of_a_message_that_was_cut_only_what_is_whole_is_heard() =>
        Parts.Select(Gen.Int[0, int.MaxValue]).Sample((sent, where) =>
        {
            var body = BusMessage.Of(sent).Body;
            var cut = body[..(where % body.Length)];

            var (heard, problem) = Hear(cut);

            Assert.Equal(sent.Take(heard.Count), heard);
            Assert.Equal(cut.Length > 0 && cut.Length == heard.Sum(p => p.Length), problem is null);
        });

    [Fact]
    public void What_is_of_another_source_is_not_heard()
    {
        var (heard, problem) = Hear(new Heartbeat(new StreamName("lb-2", "ct"), new Epoch(1), new StreamVersion(1), DateTimeOffset.UnixEpoch).ToBytes());
        Assert.Empty(heard);
        Assert.Equal("The message belongs to source lb-2, but came in the queue of lb-1.", problem);
    }

    private static (List<byte[]> Heard, string? Problem) Hear(byte[] body)
    {
        var heard = new List<byte[]>();
        var handlers = new SubscriptionHandlers
        {
            Block = (block, _) => Note(block.Bytes.ToArray()),
            Beat = (beat, _) => Note(beat.ToBytes()),
            Broken = (_, _) => throw new InvalidOperationException(),
        };
        try
        {
            handlers.CallAsync(Source, new BusMessage(body), CancellationToken.None).GetAwaiter().GetResult();
            return (heard, null);
        }
        catch (BrokenMessageException e)
        {
            return (heard, e.Message);
        }

        Task Note(byte[] part)
        {
            heard.Add(part);
            return Task.CompletedTask;
        }
    }
}
