using Maplog.Events;
using Maplog.Replicas;
using Maplog.Replicator.Protocol;
using Xunit;

namespace Maplog.Tests.Unit.Replicator;

public class ReplicaProtocolTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void The_next_block_is_applied()
    {
        Assert.Equal(Apply(11, 15), At(10).Block(new Epoch(1), new StreamVersion(11), 5));
    }

    [Fact]
    public void A_block_that_was_seen_is_skipped_and_of_a_half_seen_one_the_new_part_is_applied()
    {
        var replica = At(10);
        Assert.Equal(ReplicaStep.Nothing, replica.Block(new Epoch(1), new StreamVersion(6), 5));
        Assert.Equal(Apply(11, 13), replica.Block(new Epoch(1), new StreamVersion(8), 6));
    }

    [Fact]
    public void Before_a_block_from_the_future_the_missing_range_is_read_from_the_log()
    {
        var replica = At(10);
        Assert.Equal(ReadLog(11, 19), replica.Block(new Epoch(1), new StreamVersion(20), 5));
        Assert.Equal(14, replica.Lag);
        replica.Applied(new Cursor(new Epoch(1), new StreamVersion(19)));
        replica.LogRead(brought: true);
        Assert.Equal(Apply(20, 24), replica.Block(new Epoch(1), new StreamVersion(20), 5));
    }

    [Fact]
    public void A_log_that_lags_behind_the_bus_is_asked_again_at_the_next_beat_not_at_every_block()
    {
        var replica = At(10);
        Assert.Equal(ReadLog(11, 19), replica.Block(new Epoch(1), new StreamVersion(20), 5));
        replica.LogRead(brought: false);
        Assert.Equal(ReplicaStep.Nothing, replica.Block(new Epoch(1), new StreamVersion(20), 5));
        Assert.Equal(ReadLog(11, 24), replica.Beat(new Epoch(1), new StreamVersion(24)));
    }

    [Fact]
    public void After_two_seconds_of_silence_the_log_is_polled_and_again_after_two_more()
    {
        var replica = At(10);
        _time.Pass(TimeSpan.FromSeconds(1.9));
        Assert.Equal(ReplicaStep.Nothing, replica.Silence());
        Assert.Equal(ReplicaStep.Nothing, replica.Beat(new Epoch(1), new StreamVersion(10)));
        _time.Pass(TimeSpan.FromSeconds(1.9));
        Assert.Equal(ReplicaStep.Nothing, replica.Silence());
        _time.Pass(TimeSpan.FromSeconds(0.2));
        Assert.Equal(StepKind.PollHead, replica.Silence().Kind);
        Assert.Equal(ReplicaStep.Nothing, replica.Silence());
        _time.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal(StepKind.PollHead, replica.Silence().Kind);
    }

    [Fact]
    public void A_bus_that_tells_less_than_the_log_has_does_not_break_the_silence()
    {
        var replica = At(10);
        replica.Logged(new StreamVersion(20));
        Assert.Equal(10, replica.Lag);
        _time.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal(ReplicaStep.Nothing, replica.Beat(new Epoch(1), new StreamVersion(10)));
        Assert.Equal(ReplicaStep.Nothing, replica.Block(new Epoch(1), new StreamVersion(6), 5));
        Assert.Equal(StepKind.PollHead, replica.Silence().Kind);

        _time.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal(Apply(11, 12), replica.Block(new Epoch(1), new StreamVersion(11), 2));
        Assert.Equal(ReplicaStep.Nothing, replica.Silence());
    }

    [Fact]
    public void A_deposed_writer_is_ignored_and_does_not_break_the_silence()
    {
        var replica = At(10, epoch: 3);
        _time.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal(ReplicaStep.Nothing, replica.Block(new Epoch(2), new StreamVersion(11), 5));
        Assert.Equal(ReplicaStep.Nothing, replica.Beat(new Epoch(2), new StreamVersion(15)));
        Assert.Equal(0, replica.Lag);
        Assert.Equal(StepKind.PollHead, replica.Silence().Kind);
    }

    [Fact]
    public void A_broken_message_sends_the_replica_to_the_log()
    {
        var replica = At(10);
        Assert.Equal(StepKind.PollHead, replica.Broken().Kind);
        Assert.Equal(ReadLog(11, 12), replica.Polled(new Cursor(new Epoch(1), new StreamVersion(12))));
    }

    [Fact]
    public void A_log_that_ends_before_the_cursor_or_in_another_epoch_there_means_a_rebuild()
    {
        Assert.Equal(StepKind.Rebuild, At(10).Polled(new Cursor(new Epoch(1), new StreamVersion(9))).Kind);
        Assert.Equal(StepKind.Rebuild, At(10).Polled(new Cursor(new Epoch(2), new StreamVersion(10))).Kind);
        Assert.Equal(ReplicaStep.Nothing, At(10).Polled(new Cursor(new Epoch(1), new StreamVersion(10))));
    }

    [Fact]
    public void A_term_is_entered_through_the_log()
    {
        Assert.Equal(ReadLog(11, 13), At(10).Block(new Epoch(2), new StreamVersion(11), 3));
        Assert.Equal(ReadLog(11, 12), At(10).Block(new Epoch(2), new StreamVersion(10), 3));
        Assert.Equal(StepKind.PollHead, At(10).Block(new Epoch(2), new StreamVersion(8), 3).Kind);
        Assert.Equal(StepKind.PollHead, At(10).Beat(new Epoch(2), new StreamVersion(8)).Kind);
    }

    [Fact]
    public void A_log_whose_event_at_the_cursor_is_another_terms_is_not_followed()
    {
        Assert.True(At(10).Confirms(new Cursor(new Epoch(1), new StreamVersion(10))));
        Assert.False(At(10).Confirms(new Cursor(new Epoch(2), new StreamVersion(10))));
        Assert.False(At(10).Confirms(default));
        Assert.True(At(0, epoch: 0).Confirms(default));
    }

    private ReplicaProtocol At(long version, int epoch = 1) => new(new Cursor(new Epoch(epoch), new StreamVersion(version)), _time);

    private static ReplicaStep Apply(long from, long to) => new(StepKind.Apply, new StreamVersion(from), new StreamVersion(to));

    private static ReplicaStep ReadLog(long from, long to) => new(StepKind.ReadLog, new StreamVersion(from), new StreamVersion(to));
}
