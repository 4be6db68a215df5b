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

    [Theory]
    [InlineData(MapType.LruHash, 0, 100, true)]
    [InlineData(MapType.Hash, 1, 100, true)]
    [InlineData(MapType.LruHash, 0, 90, true)]
    [InlineData(MapType.LruHash, 0, 200, false)]
    [InlineData(MapType.PerCpuHash, 0, 100, false)]
    [InlineData(MapType.Array, 0, 100, false)]
    public void A_hash_follows_a_source_that_became_another_kind_of_hash_of_the_same_sizes(MapType type, int flags, int entries, bool follows)
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash());
        uint id;
        using (var replica = world.Put(1, 10).OpenReplica())
        {
            world.Apply(replica);
            id = replica.Map.Info.Id;
        }
        world.Open(ReplicaWorld.Hash(entries, type, flags));
        if (!follows)
        {
            Assert.Contains("OnNewShape", Assert.Throws<ReplicaException>(() => world.OpenReplica()).Message);
            return;
        }
        world.Put(2, 20);
        using (var replica = world.OpenReplica())
        {
            Assert.Equal(id, replica.Map.Info.Id);
            world.Apply(replica);
            Assert.Equal(ReplicaWorld.Entries((2, 20)), ReplicaWorld.Content(replica.Map));
        }
        using var replaced = world.OpenReplica(replace: true);
        Assert.Equal((type, (uint)flags), (replaced.Map.Info.Type, replaced.Map.Info.Flags));
    }

    [Fact]
    public void An_lru_map_does_not_follow_a_source_that_keeps_every_entry()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash(type: MapType.LruHash));
        world.OpenReplica().Dispose();
        world.Open(ReplicaWorld.Hash());
        Assert.Contains("OnNewShape", Assert.Throws<ReplicaException>(() => world.OpenReplica()).Message);
    }

    [Fact]
    public void A_pin_that_is_gone_is_made_again_with_the_same_map()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash());
        using var replica = world.Put(1, 10).OpenReplica();
        Assert.Equal(PinState.Held, replica.Pins.Check().State);
        foreach (var pin in new[] { world.Pin, ReplicaMap.CursorPin(world.Pin) })
        {
            Bpffs.Unpin(pin);
            var finding = replica.Pins.Check();
            Assert.Equal(PinState.Restored, finding.State);
            Assert.Contains(pin, finding.Sentence, StringComparison.Ordinal);
            Assert.Equal(PinState.Held, replica.Pins.Check().State);
        }
        using var pinned = BpfMap.OpenPinned(world.Pin);
        Assert.Equal(replica.Map.Info.Id, pinned.Info.Id);
        Assert.NotNull(ReplicaMap.ReadCursor(world.Pin));
    }

    [Fact]
    public void A_frozen_map_is_not_pinned_again()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash());
        using var replica = world.OpenReplica();
        replica.Map.Freeze();
        Bpffs.Unpin(world.Pin);
        Assert.Equal(PinState.Lost, replica.Pins.Check().State);
        Assert.False(File.Exists(world.Pin));
    }

    [Fact]
    public void A_pin_that_leads_to_another_map_is_lost_and_says_to_which()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash());
        using var replica = world.OpenReplica();
        using var other = BpfMap.Create("other", MapType.Hash, 4, 8, 100);
        other.Pin(world.Pin, replace: true);
        var finding = replica.Pins.Check();
        Assert.Equal(PinState.Lost, finding.State);
        Assert.Contains($"id {other.Info.Id}", finding.Sentence, StringComparison.Ordinal);
        Bpffs.Unpin(world.Pin);
        Bpffs.EnsureMounted(world.Pin); // a folder
        Assert.Equal(PinState.Lost, replica.Pins.Check().State);
    }

    [Fact]
    public void A_cursor_that_nobody_keeps_gives_way_and_one_of_a_living_replicator_does_not()
    {
        using var world = new ReplicaWorld(ReplicaWorld.Hash());
        using var replica = world.OpenReplica();
        var record = ReplicaMap.ReadCursor(world.Pin)!.Value;
        using var cursor = BpfMap.Create("maplog_cursor", MapType.Array, 4, CursorRecord.Size, 1);
        Write(record with { Keeper = ProcessIdentity.Of(1)!.Value });
        cursor.Pin(ReplicaMap.CursorPin(world.Pin), replace: true);
        Assert.Contains("process 1", replica.Pins.Check().Sentence, StringComparison.Ordinal);
        Write(record with { Keeper = new ProcessIdentity(1, 77) });
        Assert.Equal(PinState.Restored, replica.Pins.Check().State);
        Assert.Equal(ProcessIdentity.Current, ReplicaMap.ReadCursor(world.Pin)!.Value.Keeper);

        void Write(CursorRecord written)
        {
            var bytes = new byte[CursorRecord.Size];
            written.Write(bytes);
            cursor.Update(Bytes.Of(0), bytes);
        }
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
        Assert.Contains("holds the map from which", Assert.Throws<ReplicaException>(() => ReplicaMap.Open(world.Pin, ReplicaWorld.Stream, opened, world.Registry)).Message);
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
            Assert.Contains("Process 1 maintains the replica", Assert.Throws<ReplicaException>(() => world.OpenReplica()).Message);
            (record with { Keeper = new ProcessIdentity(1, 77) }).Write(bytes);
            cursor.Update(Bytes.Of(0), bytes);
        }
        world.OpenReplica().Dispose(); // the number came again, the process is another
    }
}
