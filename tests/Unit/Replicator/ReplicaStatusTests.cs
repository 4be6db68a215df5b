using System.ComponentModel.DataAnnotations;
using Maplog.Events;
using Maplog.Replicas;
using Maplog.Replicator;
using Maplog.Replicator.Observing;
using Xunit;

namespace Maplog.Tests.Unit.Replicator;

public sealed class ReplicaStatusTests
{
    private readonly ManualTime _time = new();
    private readonly ReplicaStatus _status;
    private int _changes;

    public ReplicaStatusTests() => _status = new ReplicaStatus(new StreamName("lb-1", "ct_map"), "/sys/fs/bpf/ct_map", new LagBound(TimeSpan.FromSeconds(10), 1000), _time, () => _changes++);

    [Fact]
    public void Nothing_is_known_before_the_head_was_heard()
    {
        Assert.Equal("The replica is starting.", _status.Now().WhyNot);
        _status.Opened(7, At(5));
        _status.Enter(ReplicaState.CatchingUp);
        var now = _status.Now();
        Assert.Equal((null, null, false), (now.Versions, now.Lag, now.IsReady));
        Assert.Equal("The replica does not know the head of its stream yet.", now.WhyNot);
    }

    [Fact]
    public void A_level_replica_has_no_lag_for_as_long_as_it_hears_of_its_stream()
    {
        Follow(5);
        Pass(3);
        Assert.Equal((0, TimeSpan.Zero, true), (_status.Now().Versions, _status.Now().Lag, _status.Now().IsReady));
        Pass(6);
        Assert.Equal((0, TimeSpan.FromSeconds(9), true), (_status.Now().Versions, _status.Now().Lag, _status.Now().IsReady));
        Pass(2);
        Assert.Equal("The replica has had no news of its stream for 11 s; its bound is 10 s (MaxLag).", _status.Now().WhyNot);
        _status.Heard(new StreamVersion(5));
        Assert.True(_status.Now().IsReady);
        Assert.Equal(TimeSpan.Zero, _status.Now().Lag);
    }

    [Fact]
    public void A_replica_that_is_behind_is_so_since_it_was_last_level()
    {
        Follow(5);
        Pass(1);
        _status.Heard(new StreamVersion(105));
        Pass(7);
        _status.Heard(new StreamVersion(205));
        _status.Applied(At(105));
        Assert.Equal((100, TimeSpan.FromSeconds(8), true), (_status.Now().Versions, _status.Now().Lag, _status.Now().IsReady));
        Pass(3);
        Assert.Equal("The replica has been behind for 11 s; its bound is 10 s (MaxLag).", _status.Now().WhyNot);
        _status.Applied(At(205));
        Assert.True(_status.Now().IsReady);
    }

    [Fact]
    public void Too_many_versions_are_beyond_the_bound_at_once()
    {
        Follow(5);
        _status.Heard(new StreamVersion(1006));
        Assert.Equal("The replica is 1,001 versions behind; its bound is 1,000 (MaxLagVersions).", _status.Now().WhyNot);
        _status.Enter(ReplicaState.Refused, "It is full.");
        Assert.EndsWith("(MaxLagVersions). It is full.", _status.Now().WhyNot, StringComparison.Ordinal);
        _status.Applied(At(6));
        Assert.Null(_status.Now().WhyNot);
    }

    [Fact]
    public void A_replica_that_is_built_or_has_stopped_is_not_ready_however_small_its_lag()
    {
        Follow(5);
        _status.Enter(ReplicaState.Building);
        Assert.Equal("The replica is being built from the log.", _status.Now().WhyNot);
        _status.Enter(ReplicaState.Stopped, "The source's map has another shape.");
        Assert.Equal("The replica has stopped. The source's map has another shape.", _status.Now().WhyNot);
        Assert.Equal(4, _changes);
    }

    [Fact]
    public async Task A_replica_whose_map_is_the_source_is_ready_and_names_no_number_that_it_does_not_have()
    {
        var options = new ReplicatorOptions { Source = "lb-1", Replicas = [new() { Map = "a", Pin = "/sys/fs/bpf/a" }] };
        using var board = new ReplicaBoard(options, _time);
        board.Replicas[0].Enter(ReplicaState.Source);
        var found = await board.CheckAsync(TestContext.Current.CancellationToken);
        Assert.Equal((true, "lb-1/a at /sys/fs/bpf/a: ready; its map is the map from which the stream is logged"), (found.IsReady, Assert.Single(found.Lines)));
    }

    [Fact]
    public async Task A_board_is_ready_when_all_its_replicas_are_and_says_of_each_why_not()
    {
        var options = new ReplicatorOptions { Source = "lb-1", MaxLag = TimeSpan.FromSeconds(5), Replicas = [new() { Map = "a", Pin = "/sys/fs/bpf/a" }, new() { Map = "b", Pin = "/sys/fs/bpf/b", MaxLagVersions = 3 }] };
        using var board = new ReplicaBoard(options, _time);
        Assert.Equal([new LagBound(TimeSpan.FromSeconds(5), null), new LagBound(TimeSpan.FromSeconds(5), 3)], board.Replicas.Select(r => r.Bound));
        foreach (var replica in board.Replicas)
        {
            replica.Opened(1, At(10));
            replica.Enter(ReplicaState.Following);
            replica.Heard(new StreamVersion(14));
        }
        var found = await board.CheckAsync(TestContext.Current.CancellationToken);
        Assert.False(found.IsReady);
        Assert.Equal(["lb-1/a at /sys/fs/bpf/a: ready, at version 10, 4 behind", "lb-1/b at /sys/fs/bpf/b: The replica is 4 versions behind; its bound is 3 (MaxLagVersions)."], found.Lines);
        board.Replicas[1].Applied(At(14));
        Assert.True((await board.CheckAsync(TestContext.Current.CancellationToken)).IsReady);
    }

    [Theory]
    [InlineData("00:00:03", 0, 0)]
    [InlineData("1.00:00:00", null, 0)]
    [InlineData("00:00:02", null, 1)]
    [InlineData("2.00:00:00", -1, 2)]
    public void Bounds_that_no_replica_could_keep_are_refused(string maxLag, int? versions, int mistakes)
    {
        var replica = new ReplicaOptions { Map = "a", Pin = "/sys/fs/bpf/a", MaxLag = TimeSpan.Parse(maxLag), MaxLagVersions = versions };
        Assert.Equal(mistakes, replica.Validate(new ValidationContext(replica)).Count());
        var all = new ReplicatorOptions { Source = "lb-1", Replicas = [new() { Map = "a", Pin = "/sys/fs/bpf/a" }], MaxLag = TimeSpan.Parse(maxLag), MaxLagVersions = versions };
        Assert.Equal(mistakes, all.Validate(new ValidationContext(all)).Count());
    }

    private void Follow(long version)
    {
        _status.Opened(7, At(version));
        _status.Heard(new StreamVersion(version));
        _status.Enter(ReplicaState.Following);
    }

    private void Pass(double seconds) => _time.Pass(TimeSpan.FromSeconds(seconds));

    private static Cursor At(long version) => new(new Epoch(1), new StreamVersion(version));
}
