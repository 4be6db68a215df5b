using Maplog.Events;
using Maplog.Kernel;
using Maplog.Replicas;

namespace Maplog.Tests.Kernel.Replicas;

public sealed class BatchApplierTests
{
    [Theory]
    [InlineData(MapType.Hash)]
    [InlineData(MapType.LruHash)]
    [InlineData(MapType.PerCpuHash)]
    [InlineData(MapType.LruPerCpuHash)]
    public void Several_changes_of_a_key_come_to_the_last(MapType type)
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash(type: type));
        using var replica = world.OpenReplica();
        world.Put(1, 10).Put(2, 20).Put(1, 11).Delete(2).Put(3, 30).Delete(3).Put(3, 31);
        world.Apply(replica);
        var content = ReplicaWorld.Content(replica.Map);
        Assert.Equal(2, content.Count);
        Assert.Equal(Convert.ToHexString(Bytes.Of(31, replica.Map.Info.ValueBytes)), content[Convert.ToHexString(Bytes.Of(3))]);
        world.Put(1, 12).Delete(3).Put(4, 40);
        world.Apply(replica);
        Assert.Equal(["01000000", "04000000"], ReplicaWorld.Content(replica.Map).Keys);
        Assert.Equal(world.Head, replica.Cursor.Version);
        Assert.Equal(replica.Cursor, replica.Intent);
    }

    [Theory]
    [InlineData(MapType.PerCpuHash)]
    [InlineData(MapType.PerCpuArray)]
    public void Parts_of_a_value_go_into_the_value_that_waits_and_into_the_one_that_the_map_holds(MapType type)
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash(type: type) with { ValueSize = 64, Flags = 0 });
        using var replica = world.OpenReplica();
        var (key, values) = (Bytes.Of(1), Wide(replica.Map.Info.ValueBytes));
        world.Put(key, values[0]).Parts(key, values[0], values[1]);
        world.Apply(replica);
        Assert.Equal(Convert.ToHexString(values[1]), ReplicaWorld.Content(replica.Map)[Convert.ToHexString(key)]);
        world.Parts(key, values[1], values[2]).Parts(key, values[2], values[3]);
        var pending = world.Rest(replica);
        new BatchApplier(replica).Apply(pending);
        Assert.Equal(Convert.ToHexString(values[3]), ReplicaWorld.Content(replica.Map)[Convert.ToHexString(key)]);
        Assert.False(pending.LacksValue);
        Assert.Equal(world.Head, replica.Cursor.Version);
    }

    [Fact]
    public void Parts_of_a_value_that_somebody_removed_from_the_map_are_left_out_and_told()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash(type: MapType.PerCpuHash) with { ValueSize = 64 });
        using var replica = world.OpenReplica();
        var (key, values) = (Bytes.Of(1), Wide(replica.Map.Info.ValueBytes));
        world.Put(key, values[0]).Put(Bytes.Of(2), values[0]);
        world.Apply(replica);
        replica.Map.Delete(key);
        world.Parts(key, values[0], values[1]).Put(Bytes.Of(2), values[1]);
        var pending = world.Rest(replica);
        Assert.True(pending.LacksValue);
        new BatchApplier(replica).Apply(pending);
        Assert.Equal(Convert.ToHexString(values[1]), Assert.Single(ReplicaWorld.Content(replica.Map)).Value);
        pending.Clear();
        Assert.False(pending.LacksValue);
        world.Delete(2).Parts(Bytes.Of(2), values[1], values[2]);
        Assert.Contains("no event before it has the whole value", Assert.Throws<FormatException>(() => world.Rest(replica)).Message, StringComparison.Ordinal);
    }

    // Each differs from the one before in the value of one CPU.
    private static byte[][] Wide(int bytes)
    {
        var values = new byte[4][];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = i == 0 ? new byte[bytes] : [.. values[i - 1]];
            values[i][i % PossibleCpus.Count * 64] = (byte)i;
        }
        return values;
    }

    [Fact]
    public void Building_anew_removes_what_the_log_lacks_and_leaves_what_is_right_untouched()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash(entries: 1000));
        using var replica = world.OpenReplica();
        for (var i = 0; i < 600; i++)
            replica.Map.Update(Bytes.Of(i), Bytes.Of(i, 8));
        for (var i = 300; i < 900; i++)
            world.Put(i, i == 400 ? 7 : i);
        var applier = new BatchApplier(replica);
        applier.Apply(world.Rest(replica));
        Assert.Equal(ReplicaWorld.Entries([.. Enumerable.Range(300, 600).Select(i => (i, i == 400 ? 7 : i))]), ReplicaWorld.Content(replica.Map));
        Assert.Equal((300L, 301L), (applier.Deleted, applier.Written));
    }

    [Fact]
    public void A_new_life_of_the_source_map_empties_the_replica_in_the_same_batch()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash());
        using var replica = world.OpenReplica();
        world.Put(1, 10).Put(2, 20);
        world.Apply(replica);
        world.Put(3, 30).Open(world.Opened.Shape);
        world.Put(2, 20).Put(5, 50).Put(6, 60).Delete(6);
        world.Apply(replica);
        Assert.Equal(ReplicaWorld.Entries((2, 20), (5, 50)), ReplicaWorld.Content(replica.Map));
    }

    [Fact]
    public void A_map_of_another_shape_ends_the_batch_before_it()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash());
        var pending = new PendingChanges(ReplicaWorld.Stream, world.Opened.Shape);
        var other = world.Opened with { Shape = ReplicaWorld.Hash(entries: 101) };
        Assert.False(pending.Take(new LoggedEvent(new StreamVersion(1), default, EventKind.MapOpened, NoteCodec.Write(other))));
        Assert.Equal((0L, default(Cursor)), (pending.Events, pending.End));
    }

    [Fact]
    public void A_replica_as_large_as_the_source_never_overflows_on_the_way()
    {
        const int Room = 5000;
        using var world = new ReplicaWorld(ReplicaWorld.Hash(entries: Room));
        using var replica = world.OpenReplica();
        for (var i = 0; i < Room; i++)
            world.Put(i, i);
        world.Apply(replica);
        for (var i = 0; i < Room; i++)
            world.Delete(i).Put(Room + i, i);
        world.Apply(replica);
        Assert.Equal(ReplicaWorld.Entries([.. Enumerable.Range(0, Room).Select(i => (Room + i, (int)i))]), ReplicaWorld.Content(replica.Map));
    }

    [Fact]
    public void After_a_death_in_a_batch_the_range_that_was_under_way_fits_a_full_map()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash(entries: 10));
        using var replica = world.OpenReplica();
        for (var i = 0; i < 10; i++)
            world.Put(i, i);
        world.Apply(replica);
        var before = replica.Cursor;
        for (var i = 0; i < 10; i++)
            world.Delete(i).Put(10 + i, i);
        world.Apply(replica);
        // As if the process had died before the cursor was written: version by version, the replay would not fit.
        replica.Begin(before);
        replica.Commit(default);
        replica.Begin(new Cursor(new Epoch(1), world.Head));
        world.Apply(replica, upTo: replica.Intent.Version.Value);
        Assert.Equal(ReplicaWorld.Entries([.. Enumerable.Range(0, 10).Select(i => (10 + i, i))]), ReplicaWorld.Content(replica.Map));
    }

    [Fact]
    public void A_full_replica_says_so_keeps_its_cursor_and_goes_on_when_there_is_room()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash(entries: 4));
        using var replica = world.OpenReplica();
        world.Put(1, 10).Put(2, 20).Put(3, 30);
        world.Apply(replica);
        var before = replica.Cursor;
        replica.Map.Update(Bytes.Of(99), Bytes.Of(99, 8)); // a stranger
        world.Put(4, 40).Put(1, 11);
        var applier = new BatchApplier(replica);
        var pending = world.Rest(replica);
        var refusal = Assert.Throws<ReplicaException>(() => applier.Apply(pending));
        Assert.True(refusal.MayPass);
        Assert.Contains("is full at 4 entries", refusal.Message);
        Assert.Contains("lb-1/ct_map", refusal.Message);
        Assert.Contains("E2BIG", refusal.Message);
        Assert.Equal(before, replica.Cursor);
        replica.Map.Delete(Bytes.Of(99));
        applier.Apply(pending);
        Assert.Equal(ReplicaWorld.Entries((1, 11), (2, 20), (3, 30), (4, 40)), ReplicaWorld.Content(replica.Map));
    }

    [Fact]
    public void After_a_refusal_a_batch_goes_on_with_the_entry_that_was_refused()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash(entries: 100));
        using var replica = world.OpenReplica();
        world.Put(1, 1).Put(2, 2);
        world.Apply(replica);
        for (var i = 0; i < 50; i++)
            replica.Map.Update(Bytes.Of(1000 + i), Bytes.Of(1, 8)); // a stranger
        for (var i = 10; i < 90; i++)
            world.Put(i, i);
        world.Delete(1).Delete(2);
        var applier = new BatchApplier(replica);
        var pending = world.Rest(replica);
        Assert.Throws<ReplicaException>(() => applier.Apply(pending));
        Assert.Equal((50L, 2L, 0L), (applier.Written, applier.Deleted, applier.Absent));
        for (var i = 0; i < 50; i++)
            replica.Map.Delete(Bytes.Of(1000 + i));
        applier.Apply(pending);
        Assert.Equal(ReplicaWorld.Entries([.. Enumerable.Range(10, 80).Select(i => (i, i))]), ReplicaWorld.Content(replica.Map));
        Assert.Equal((80L, 2L, 0L), (applier.Written, applier.Deleted, applier.Absent));
        Assert.Equal(world.Head, replica.Cursor.Version);
    }

    [Fact]
    public void What_comes_after_a_refusal_counts_more_than_what_was_written_before_it()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash(entries: 4));
        using var replica = world.OpenReplica();
        replica.Map.Update(Bytes.Of(99), Bytes.Of(99, 8)); // a stranger
        world.Put(0, 0);
        world.Apply(replica);
        replica.Map.Update(Bytes.Of(99), Bytes.Of(99, 8));
        var pending = new PendingChanges(ReplicaWorld.Stream, world.Opened.Shape);
        Take(world.Put(1, 10).Put(2, 20).Put(3, 30));
        var applier = new BatchApplier(replica);
        Assert.Throws<ReplicaException>(() => applier.Apply(pending));
        replica.Map.Delete(Bytes.Of(99));
        Take(world.Put(1, 11).Put(2, 21).Delete(3).Delete(0));
        applier.Apply(pending);
        Assert.Equal(ReplicaWorld.Entries((1, 11), (2, 21)), ReplicaWorld.Content(replica.Map));

        void Take(ReplicaWorld changed)
        {
            foreach (var logged in changed.Changes().Where(c => c.Version > (pending.Events == 0 ? replica.Cursor.Version : pending.End.Version)))
                Assert.True(pending.Take(logged));
        }
    }

    [Fact]
    public void A_refusal_names_the_entry()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash(entries: 2));
        using var replica = world.OpenReplica();
        world.Put(1, 10).Put(2, 20).Put(0x0a0b0c0d, 30);
        world.Apply(replica, upTo: 4);
        Assert.Contains("the key 0x0d0c0b0a was refused", Assert.Throws<ReplicaException>(() => world.Apply(replica)).Message);
    }

    [Fact]
    public void A_snapshots_chunk_goes_on_with_the_entry_that_was_refused()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash(entries: 10));
        using var replica = world.OpenReplica();
        replica.Map.Update(Bytes.Of(99), Bytes.Of(99, 8)); // a stranger
        var applier = new BatchApplier(replica);
        var numbers = Enumerable.Range(0, 10).ToArray();
        var (keys, values) = (Bytes.Of(numbers), numbers.SelectMany(n => Bytes.Of(n, 8)).ToArray());
        var loaded = 0;
        Assert.Throws<ReplicaException>(() => applier.Load(keys, values, 10, ref loaded));
        Assert.Equal((9, 9L), (loaded, applier.Written));
        replica.Map.Delete(Bytes.Of(99));
        applier.Load(keys, values, 10, ref loaded);
        Assert.Equal((10, 10L), (loaded, applier.Written));
    }

    [Fact]
    public void A_frozen_replica_says_so()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash());
        using var replica = world.OpenReplica();
        replica.Map.Freeze();
        world.Put(1, 10);
        var refusal = Assert.Throws<ReplicaException>(() => world.Apply(replica));
        Assert.Contains("is frozen", refusal.Message);
        Assert.Contains("EPERM", refusal.Message);
    }

    [Theory]
    [InlineData(MapType.Array)]
    [InlineData(MapType.PerCpuArray)]
    public void What_the_log_lacks_in_an_array_becomes_zero(MapType type)
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash(entries: 8, type: type));
        using var replica = world.OpenReplica();
        var size = replica.Map.Info.ValueBytes;
        for (var i = 0; i < 8; i++)
            replica.Map.Update(Bytes.Of(i), Bytes.Of(100 + i, size));
        world.Put(2, 20).Put(3, 103);
        world.Apply(replica);
        var content = ReplicaWorld.Content(replica.Map);
        for (var i = 0; i < 8; i++)
        {
            var expected = i switch { 2 => Bytes.Of(20, size), 3 => Bytes.Of(103, size), _ => new byte[size] };
            Assert.Equal(Convert.ToHexString(expected), content[Convert.ToHexString(Bytes.Of(i))]);
        }
    }

    [Fact]
    public void A_trie_follows_its_source_also_when_a_prefix_comes_with_other_host_bits()
    {
        using var world = new ReplicaWorld(new MapShape((int)MapType.LpmTrie, 8, 8, 100, (int)MapFlags.NoPreallocation, 0));
        using var replica = world.OpenReplica();
        world.Put(Bytes.Prefix(8, 10, 1, 2, 3), Bytes.Of(1, 8)).Put(Bytes.Prefix(8, 10, 0, 0, 9), Bytes.Of(2, 8)).Put(Bytes.Prefix(16, 10, 1, 2, 3), Bytes.Of(3, 8));
        world.Change(EventKind.EntryDeleted, Bytes.Prefix(16, 10, 1, 0, 0), []);
        world.Apply(replica);
        world.Put(Bytes.Prefix(0, 0, 0, 0, 0), Bytes.Of(4, 8));
        world.Apply(replica);
        Assert.Equal([Convert.ToHexString(Bytes.Prefix(0)), Convert.ToHexString(Bytes.Prefix(8, 10))], ReplicaWorld.Content(replica.Map).Keys);
    }

    [Fact]
    public void What_an_lru_replica_evicted_by_itself_is_counted_and_no_error()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash(entries: 64, type: MapType.LruHash));
        using var replica = world.OpenReplica();
        for (var i = 0; i < 64; i++)
            world.Put(i, i);
        world.Apply(replica);
        replica.Map.Delete(Bytes.Of(5));
        var applier = new BatchApplier(replica);
        world.Change(EventKind.EntryEvicted, Bytes.Of(5), []);
        applier.Apply(world.Rest(replica));
        Assert.Equal((0L, 1L), (applier.Deleted, applier.Absent));
    }

    [Fact]
    public void What_comes_while_an_lru_replica_is_compared_with_the_log_is_written_and_what_it_evicted_is_not()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash(entries: 64, type: MapType.LruHash));
        using var replica = world.OpenReplica();
        world.Put(1, 1).Put(2, 2).Put(3, 3);
        world.Apply(replica);
        replica.Map.Delete(Bytes.Of(2));
        var had = replica.Cursor.Version;
        world.Put(3, 33).Put(4, 4);
        var repair = new PendingChanges(ReplicaWorld.Stream, world.Opened.Shape) { HadTo = had };
        repair.Empty();
        foreach (var logged in world.Changes())
            Assert.True(repair.Take(logged));
        var applier = new BatchApplier(replica);
        applier.Apply(repair);
        Assert.Equal(ReplicaWorld.Entries((1, 1), (3, 33), (4, 4)), ReplicaWorld.Content(replica.Map));
        Assert.Equal(1, applier.Evicted);
    }

    [Fact]
    public void A_megabyte_of_value_is_applied_like_any_other()
    {
        using var world = new ReplicaWorld(new MapShape((int)MapType.Hash, 300, 1 << 20, 5, 0, 0));
        using var replica = world.OpenReplica();
        for (var i = 0; i < 5; i++)
            world.Put(Bytes.Of(i, 300), Bytes.Of(i, 1 << 20));
        world.Apply(replica);
        Assert.Equal(5, ReplicaWorld.Content(replica.Map).Count);
    }

    [Fact]
    public void In_steady_state_a_batch_allocates_nothing()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash(entries: 2000));
        using var replica = world.OpenReplica();
        var applier = new BatchApplier(replica);
        for (var i = 0; i < 1000; i++)
            world.Put(i, i).Put(i + 1000, i).Delete(i + 1000);
        var pending = world.Rest(replica);
        applier.Apply(pending);
        pending.Clear();
        var log = world.Changes();
        Round();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 10; round++)
            Round();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Round()
        {
            foreach (ref readonly var logged in log.AsSpan())
                pending.Take(logged);
            applier.Apply(pending);
            pending.Clear();
        }
    }
}
