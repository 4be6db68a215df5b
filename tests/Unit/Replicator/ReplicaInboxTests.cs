using Maplog.Bus;
using Maplog.Events;
using Maplog.Replicas;
using Maplog.Replicator.Following;
using Xunit;

namespace Maplog.Tests.Unit.Replicator;

public sealed class ReplicaInboxTests
{
    private readonly ReplicaInbox _inbox = new();

    [Theory]
    [InlineData(1 << 19, 32)]
    [InlineData(8, 1024)]
    public void What_there_is_no_room_for_is_missed_and_blocks_come_again_when_all_was_taken(int valueSize, int room)
    {
        for (var round = 0; round < 3; round++)
        {
            for (var i = 1; i <= 1100; i++)
                _inbox.TryPut(new InboxItem(Block: Block(i, valueSize)));
            Assert.True(_inbox.TryTake(out var first));
            _inbox.TryPut(new InboxItem(Block: Block(1101, valueSize))); // one range is missing, not many
            Assert.Equal(Enumerable.Range(1, room).Select(v => (long)v), [first.Block!.First.Value, .. Drain().Select(i => i.Block!.First.Value)]);
        }
    }

    [Fact]
    public void A_beat_finds_room_where_a_block_does_not()
    {
        for (var i = 1; i <= 40; i++)
            _inbox.TryPut(new InboxItem(Block: Block(i, 1 << 19)));
        var beat = new Heartbeat(new StreamName("lb-1", "ct"), new Epoch(1), new StreamVersion(40), DateTimeOffset.UnixEpoch);
        _inbox.TryPut(new InboxItem(Beat: beat));
        Assert.Equal(beat, Drain()[^1].Beat);
    }

    [Fact]
    public void Broken_messages_are_told_of_once_until_that_was_taken()
    {
        for (var i = 0; i < 10; i++)
            _inbox.TryPut(new InboxItem(Broken: "It is damaged."));
        Assert.Single(Drain());
        _inbox.TryPut(new InboxItem(Broken: "It is damaged."));
        Assert.Single(Drain());
    }

    [Fact]
    public void A_replica_that_has_ended_leaves_nothing_behind()
    {
        _inbox.TryPut(new InboxItem(Block: Block(1, 8)));
        _inbox.Close();
        _inbox.TryPut(new InboxItem(Block: Block(2, 8)));
        Assert.Empty(Drain());
    }

    [Fact]
    public async Task What_the_log_has_waits_for_room_and_ends_with_the_replica()
    {
        for (var i = 0; i < 2000; i++)
            _inbox.Tick();
        var head = new AskedHead(new Cursor(new Epoch(1), new StreamVersion(7)), 0);
        var waiting = _inbox.PutAsync(head, TestContext.Current.CancellationToken).AsTask();
        Assert.False(waiting.IsCompleted);
        Assert.True(_inbox.TryTake(out _));
        await waiting;
        Assert.Same(head, Drain()[^1].Head);

        for (var i = 0; i < 2000; i++)
            _inbox.Tick();
        waiting = _inbox.PutAsync(head, TestContext.Current.CancellationToken).AsTask();
        _inbox.Close();
        await waiting;
    }

    private List<InboxItem> Drain()
    {
        var items = new List<InboxItem>();
        while (_inbox.TryTake(out var item))
            items.Add(item);
        return items;
    }

    private static ChangeBlock Block(long version, int valueSize)
    {
        using var writer = new ChangeBlockWriter();
        writer.Begin(new StreamName("lb-1", "ct"), new Epoch(1), new StreamVersion(version), 8, valueSize);
        writer.AddChange(EventKind.EntryAdded, new byte[8], new byte[valueSize]);
        Assert.True(ChangeBlock.TryRead(writer.Finish(DateTimeOffset.UnixEpoch).ToArray(), out var block, out _));
        return block;
    }
}
