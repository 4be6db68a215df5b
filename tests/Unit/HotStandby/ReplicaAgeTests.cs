using Maplog.HotStandby;
using Maplog.Replicas;
using Xunit;

namespace Maplog.Tests.Unit.HotStandby;

/// <summary>The library of hot standby knows nothing of replication: it reads the cursor's bytes by itself.</summary>
public sealed class ReplicaAgeTests
{
    private const long Second = 1_000_000_000;

    [Fact]
    public void The_age_of_a_replica_is_the_time_since_it_was_level_with_its_log() =>
        Assert.Equal(TimeSpan.FromSeconds(7.1), Age(level: 100 * Second + 123_456, now: 107 * Second + Second / 10));

    [Fact]
    public void A_moment_is_rounded_so_that_a_replica_is_never_younger_than_it_is() =>
        Assert.Equal(TimeSpan.FromTicks(10_999_999), Age(level: 10 * Second + 99_999_999, now: 11 * Second + 99_999_999));

    [Fact]
    public void A_replica_that_never_was_level_and_a_cursor_of_another_map_are_sentences()
    {
        Assert.Contains("has not been level with its log yet", Assert.Throws<StandbyException>(() => Age(0, Second)).Message);
        Assert.Equal("the map pinned at /sys/fs/bpf/x has id 8, but its replicator maintains the map with id 7", Assert.Throws<StandbyException>(() => Age(Second, Second, 8)).Message);
    }

    [Fact]
    public void The_cursors_size_and_layout_are_the_replicators() =>
        Assert.Equal((CursorRecord.Size, CursorRecord.Layout), (ReplicaAge.CursorSize, ReplicaAge.Layout));

    private static TimeSpan Age(long level, long now, uint mapId = 7)
    {
        var bytes = new byte[CursorRecord.Size];
        new CursorRecord(7, 1, default, default, default, new ProcessIdentity(1, 2), CursorRecord.LevelAt(level)).Write(bytes);
        return ReplicaAge.Of(bytes, "/sys/fs/bpf/x", mapId, now).Age;
    }
}
