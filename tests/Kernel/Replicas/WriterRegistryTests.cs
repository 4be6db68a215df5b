using Maplog.Events;
using Maplog.Kernel;
using Maplog.Replicas;

namespace Maplog.Tests.Kernel.Replicas;

public sealed class WriterRegistryTests
{
    [Fact]
    public void A_replicator_is_registered_while_it_runs()
    {
        using var pins = new PinFolder();
        var value = new byte[8];
        using (var registry = WriterRegistry.Open(pins.Folder))
        {
            registry.Register();
            using var writers = BpfMap.OpenPinned(pins["writers"]);
            Assert.Equal("maplog_writers", writers.Info.Name);
            Assert.True(writers.Lookup(BitConverter.GetBytes((uint)Environment.ProcessId), value));
            Assert.Equal(ProcessIdentity.Current.StartTicks, BitConverter.ToUInt64(value));
        }
        using var after = BpfMap.OpenPinned(pins["writers"]);
        Assert.False(after.Lookup(BitConverter.GetBytes((uint)Environment.ProcessId), value));
    }

    [Fact]
    public void Those_who_died_without_a_word_are_swept_and_those_who_live_stay()
    {
        using var pins = new PinFolder();
        using var registry = WriterRegistry.Open(pins.Folder);
        using var writers = BpfMap.OpenPinned(pins["writers"]);
        var value = new byte[8];
        var one = ProcessIdentity.Of(1)!.Value;
        writers.Update(BitConverter.GetBytes(1u), BitConverter.GetBytes(one.StartTicks));
        writers.Update(BitConverter.GetBytes(4_000_000u), BitConverter.GetBytes(5ul));
        writers.Update(BitConverter.GetBytes(2u), BitConverter.GetBytes(ulong.MaxValue)); // the number came again
        registry.Register();
        Assert.True(writers.Lookup(BitConverter.GetBytes(1u), value));
        Assert.False(writers.Lookup(BitConverter.GetBytes(4_000_000u), value));
        Assert.False(writers.Lookup(BitConverter.GetBytes(2u), value));
    }

    [Fact]
    public void A_replica_stays_registered_as_long_as_its_map_lives()
    {
        using var pins = new PinFolder();
        var value = new byte[8];
        uint first;
        using (var map = BpfMap.Create("ct_map", MapType.Hash, 4, 4, 1))
        {
            first = map.Info.Id;
            using (var registry = WriterRegistry.Open(pins.Folder))
                registry.AddReplica(first, Stream);
            using var kept = BpfMap.OpenPinned(pins["replicas"]);
            Assert.True(kept.Lookup(BitConverter.GetBytes(first), value));
        }
        using var next = WriterRegistry.Open(pins.Folder);
        using var other = BpfMap.Create("ct_map", MapType.Hash, 4, 4, 1);
        using var replicas = BpfMap.OpenPinned(pins["replicas"]);
        next.AddReplica(other.Info.Id, Stream);
        Assert.True(replicas.Lookup(BitConverter.GetBytes(other.Info.Id), value));
        // A dead map's number may come again for a map that is no replica; the kernel lets it go a moment after the last descriptor.
        SpinWait.SpinUntil(() => !Alive(first), TimeSpan.FromSeconds(10));
        next.Register();
        Assert.False(replicas.Lookup(BitConverter.GetBytes(first), value));
        next.RemoveReplica(other.Info.Id);
        Assert.False(replicas.Lookup(BitConverter.GetBytes(other.Info.Id), value));
    }

    [Fact]
    public void A_replica_that_is_being_made_is_told_of_while_its_maker_lives()
    {
        using var pins = new PinFolder();
        using var registry = WriterRegistry.Open(pins.Folder);
        using var replica = registry.MakeReplica(Stream, () =>
        {
            Assert.True(registry.IsMaking);
            return BpfMap.Create("ct_map", MapType.Hash, 4, 4, 1);
        });
        Assert.False(registry.IsMaking);
        Assert.Equal([replica.Info.Id], registry.Replicas().Keys);

        Assert.Throws<KernelException>(() => registry.MakeReplica(Stream, () => BpfMap.Create("ct_map", MapType.Hash, 4, 4, 0)));
        Assert.False(registry.IsMaking);

        // Killed while it made one.
        using var replicas = BpfMap.OpenPinned(pins["replicas"]);
        replicas.Update(BitConverter.GetBytes(1u << 31 | 4_000_000u), BitConverter.GetBytes(5ul));
        Assert.False(registry.IsMaking);
        Assert.Single(registry.Replicas());
        registry.Register();
        Assert.False(replicas.Lookup(BitConverter.GetBytes(1u << 31 | 4_000_000u), new byte[8]));
    }

    [Fact]
    public void A_host_may_have_any_number_of_replicas_and_whoever_looks_finds_them_all()
    {
        const uint Many = 20_000;
        using var pins = new PinFolder();
        using var looking = WriterRegistry.Open(pins.Folder);
        using var registry = WriterRegistry.Open(pins.Folder);
        for (uint id = 1; id <= Many; id++)
            registry.AddReplica(id, Stream);
        registry.AddReplica(1, new StreamName("lb-2", "ct_map"));
        var found = looking.Replicas();
        Assert.Equal(Many, (uint)found.Count);
        Assert.Equal((CursorRecord.HashOf(new StreamName("lb-2", "ct_map")), CursorRecord.HashOf(Stream)), (found[1], found[Many]));
        looking.RemoveReplica(Many);
        Assert.False(registry.Replicas().ContainsKey(Many));
        using var later = WriterRegistry.Open(pins.Folder);
        Assert.Equal(Many - 1, (uint)later.Replicas().Count);
    }

    [Fact]
    public void A_registry_of_an_earlier_version_goes_on_and_grows()
    {
        using var pins = new PinFolder();
        using (var old = BpfMap.Create("maplog_replicas", MapType.Hash, 4, 8, 1024))
            old.Pin(pins["replicas"]);
        using var registry = WriterRegistry.Open(pins.Folder);
        for (uint id = 1; id <= 1100; id++)
            registry.AddReplica(id, Stream);
        Assert.Equal(1100, registry.Replicas().Count);
    }

    [Fact]
    public void Pins_of_the_registry_that_are_removed_are_made_again_and_others_in_their_place_are_told()
    {
        using var pins = new PinFolder();
        using var registry = WriterRegistry.Open(pins.Folder);
        registry.Register();
        Assert.Empty(registry.Keep());
        Bpffs.Unpin(pins["writers"]);
        Bpffs.Unpin(pins["replicas"]);
        Assert.Equal(2, registry.Keep().Count(s => s.Contains("was gone", StringComparison.Ordinal)));
        Assert.Empty(registry.Keep());
        using (var writers = BpfMap.OpenPinned(pins["writers"]))
            Assert.True(writers.Lookup(BitConverter.GetBytes((uint)Environment.ProcessId), new byte[8]));
        using var other = BpfMap.Create("maplog_writers", MapType.Hash, 4, 8, 1024);
        other.Pin(pins["writers"], replace: true);
        Assert.Contains("now leads to another map", Assert.Single(registry.Keep()), StringComparison.Ordinal);
    }

    private static readonly StreamName Stream = new("lb-1", "ct_map");

    private static bool Alive(uint id) => BpfMap.Ids().Contains(id);
}
