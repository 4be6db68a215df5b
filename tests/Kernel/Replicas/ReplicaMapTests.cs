using Maplog.Events;
using Maplog.Kernel;
using Maplog.Replicas;

namespace Maplog.Tests.Kernel.Replicas;

public sealed class ReplicaMapTests
{
    [Fact]
    public void A_missing_replica_is_made_as_the_log_describes_it()
    {
        using var world = new ReplicaWorld(new MapShape((int)MapType.LruHash, 16, 24, 300, 0, 0));
        using var replica = world.OpenReplica();
        Assert.Equal(("ct_map", MapType.LruHash, 16, 24, 300u), (replica.Map.Info.Name, replica.Map.Info.Type, replica.Map.Info.KeySize, replica.Map.Info.ValueSize, replica.Map.Info.MaxEntries));
        using var pinned = BpfMap.OpenPinned(world.Pin);
        Assert.Equal(replica.Map.Info.Id, pinned.Info.Id);
        Assert.Equal(default, replica.Cursor);
    }

    [Fact]
    public void A_map_of_another_shape_is_refused_in_words_for_both_and_left_as_it_is()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash());
        using var other = BpfMap.Create("someones", MapType.Hash, 4, 16, 50);
        other.Pin(world.Pin);
        other.Update(Bytes.Of(1), Bytes.Of(1, 16));
        var refusal = Assert.Throws<ReplicaException>(() => world.OpenReplica(replace: true)).Message;
        Assert.Contains("keys of 4 bytes, values of 16 bytes, 50 entries", refusal);
        Assert.Contains("keys of 4 bytes, values of 8 bytes, 100 entries", refusal);
        Assert.False(File.Exists(ReplicaMap.CursorPin(world.Pin)));
        Assert.Single(ReplicaWorld.Content(other));
    }

    [Fact]
    public void The_cursor_outlives_the_replicator_and_says_what_was_under_way()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash());
        using (var replica = world.Put(1, 10).OpenReplica())
        {
            world.Apply(replica);
            replica.Begin(new Cursor(new Epoch(1), new StreamVersion(9)));
        }
        using (var again = world.OpenReplica())
        {
            Assert.Equal(new Cursor(new Epoch(1), new StreamVersion(3)), again.Cursor);
            Assert.Equal(new Cursor(new Epoch(1), new StreamVersion(9)), again.Intent);
        }
        Assert.Equal(new StreamVersion(3), ReplicaMap.ReadCursor(world.Pin)!.Value.Cursor.Version);
    }

    [Fact]
    public void The_cursor_of_another_map_or_another_stream_counts_for_nothing()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash());
        using (var replica = world.Put(1, 10).OpenReplica())
            world.Apply(replica);
        using (var other = ReplicaMap.Open(world.Pin, new StreamName("lb-2", "ct_map"), world.Opened, world.Registry))
            Assert.Equal(default, other.Cursor);
        using (var replica = world.OpenReplica())
            world.Apply(replica);
        Bpffs.Unpin(world.Pin);
        using var remade = world.OpenReplica();
        Assert.Equal(default, remade.Cursor);
    }

    [Fact]
    public void An_own_replica_is_replaced_when_the_source_changed_its_shape_only_if_that_is_wanted()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash());
        using (var replica = world.Put(1, 10).OpenReplica())
            world.Apply(replica);
        world.Open(ReplicaWorld.Hash(entries: 200));
        Assert.Contains("OnNewShape", Assert.Throws<ReplicaException>(() => world.OpenReplica()).Message);
        using var larger = world.OpenReplica(replace: true);
        Assert.Equal((200u, default(Cursor)), (larger.Map.Info.MaxEntries, larger.Cursor));
    }

    [Fact]
    public void Per_cpu_values_of_another_number_of_cpus_are_refused()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash(type: MapType.PerCpuHash) with { PossibleCpus = PossibleCpus.Count + 1 });
        Assert.Contains($"{PossibleCpus.Count + 1} CPUs", Assert.Throws<ReplicaException>(() => world.OpenReplica()).Message);
    }

    [Fact]
    public void A_map_whose_values_are_kernel_objects_is_refused()
    {
        using var world = new ReplicaWorld(new MapShape((int)MapType.ProgArray, 4, 4, 8, 0, 0));
        Assert.Contains("ProgArray", Assert.Throws<ReplicaException>(() => world.OpenReplica()).Message);
    }

    [Fact]
    public void A_map_is_never_its_own_replica()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash());
        using var source = BpfMap.Create("ct_map", MapType.Hash, 4, 8, 100);
        source.Pin(world.Pin);
        var opened = world.Opened with { MapId = source.Info.Id, BootId = Boot.Id };
        Assert.Contains("the very map", Assert.Throws<ReplicaException>(() => ReplicaMap.Open(world.Pin, ReplicaWorld.Stream, opened, world.Registry)).Message);
    }

    [Fact]
    public void A_replica_that_another_living_process_keeps_is_refused()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash());
        world.OpenReplica().Dispose();
        var record = ReplicaMap.ReadCursor(world.Pin)!.Value with { Keeper = ProcessIdentity.Of(1)!.Value };
        var bytes = new byte[CursorRecord.Size];
        record.Write(bytes);
        using (var cursor = BpfMap.OpenPinned(ReplicaMap.CursorPin(world.Pin)))
        {
            cursor.Update(Bytes.Of(0), bytes);
            Assert.Contains("kept by process 1", Assert.Throws<ReplicaException>(() => world.OpenReplica()).Message);
            (record with { Keeper = new ProcessIdentity(1, 77) }).Write(bytes);
            cursor.Update(Bytes.Of(0), bytes);
        }
        world.OpenReplica().Dispose(); // the number came again, the process is another
    }
}
