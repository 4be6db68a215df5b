using Maplog.Events;
using Maplog.Log;
using Xunit;

namespace Maplog.Tests.Unit.Log;

public sealed class EventBatchTests
{
    private static readonly StreamHandle One = new(StreamName.Parse("lb-1/one")), Two = new(StreamName.Parse("lb-1/two"));

    [Fact]
    public void Each_stream_of_a_batch_has_its_range_of_versions_however_they_alternate()
    {
        using var batch = new EventBatch();
        for (var i = 1; i <= 5; i++)
        {
            Add(batch, One, i);
            if (i > 2)
                Add(batch, Two, i);
        }
        Assert.Equal(
            [new StreamRange(One, new StreamVersion(1), new StreamVersion(5)), new StreamRange(Two, new StreamVersion(3), new StreamVersion(5))],
            batch.Streams);
    }

    [Fact]
    public void A_version_that_does_not_follow_the_streams_last_is_refused()
    {
        using var batch = new EventBatch();
        Add(batch, One, 1);
        Add(batch, Two, 1);
        Assert.Throws<ArgumentException>(() => Add(batch, One, 3));
        Assert.Throws<ArgumentException>(() => Add(batch, One, 1));
    }

    [Fact]
    public void A_stream_that_comes_by_another_handle_is_the_same_stream()
    {
        using var batch = new EventBatch();
        Add(batch, One, 1);
        Add(batch, new StreamHandle(One.Name), 2);
        Assert.Equal(new StreamVersion(2), Assert.Single(batch.Streams).Last);
    }

    [Fact]
    public void A_batch_is_of_one_source()
    {
        using var batch = new EventBatch();
        Add(batch, One, 1);
        Assert.Throws<ArgumentException>(() => Add(batch, new StreamHandle(StreamName.Parse("lb-2/one")), 1));
    }

    [Fact]
    public async Task A_batch_is_cleared_on_one_thread_while_another_is_filled_with_the_same_streams()
    {
        using var first = new EventBatch();
        using var second = new EventBatch();
        for (var round = 0; round < 1000; round++)
        {
            Fill(first);
            var clearing = Task.Run(first.Clear, TestContext.Current.CancellationToken);
            Fill(second);
            await clearing;
            Assert.Equal(0, first.Count);
            Assert.Equal([new StreamVersion(20), new StreamVersion(20)], second.Streams.Select(s => s.Last));
            second.Clear();
        }

        static void Fill(EventBatch batch)
        {
            for (var version = 1; version <= 20; version++)
            {
                Add(batch, One, version);
                Add(batch, Two, version);
            }
        }
    }

    private static void Add(EventBatch batch, StreamHandle stream, long version) =>
        batch.AddChange(stream, new StreamVersion(version), DateTimeOffset.UnixEpoch, EventKind.EntryAdded, [1, 2, 3]);
}
