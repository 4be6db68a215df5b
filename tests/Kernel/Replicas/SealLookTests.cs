using Maplog.Events;
using Maplog.Folding;
using Maplog.Kernel;
using Maplog.Replicas;

namespace Maplog.Tests.Kernel.Replicas;

public sealed class SealLookTests
{
    private const int Entries = 5000;

    public static TheoryData<MapType, bool> Cases
    {
        get
        {
            var cases = new TheoryData<MapType, bool>();
            foreach (var type in new[] { MapType.Hash, MapType.PerCpuHash, MapType.Array, MapType.LpmTrie })
            {
                cases.Add(type, false);
                cases.Add(type, true);
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_map_that_changes_while_it_is_looked_at_is_held_against_what_it_was_at_the_seal(MapType type, bool isSpoiled)
    {
        using var world = new ReplicaWorld(type == MapType.LpmTrie ? new MapShape((int)type, 8, 8, 2 * Entries, 1, 0) : ReplicaWorld.Hash(2 * Entries, type));
        using var replica = world.OpenReplica();
        for (var i = 0; i < Entries; i++)
            world.Put(Key(type, i), Bytes.Of(i, replica.Map.Info.ValueBytes));
        world.Apply(replica);
        var seal = SealOf(replica, world.Opened.Shape);
        if (isSpoiled)
            replica.Map.Update(Key(type, Entries / 2), Bytes.Of(-1, replica.Map.Info.ValueBytes));

        var look = new SealLook(replica, seal, []);
        var steps = 0;
        for (look.Step(); look.Holds is null; look.Step())
        {
            // Each time others, of what was looked at already and of what was not; some twice.
            steps++;
            for (var i = steps; i < Entries; i += 7)
                world.Put(Key(type, i), Bytes.Of(i + steps, replica.Map.Info.ValueBytes));
            if (type != MapType.Array)
            {
                for (var i = 2 * steps; i < Entries; i += 11)
                    world.Change(EventKind.EntryDeleted, Key(type, i), []);
                for (var i = 0; i < 300; i++)
                    world.Put(Key(type, Entries + steps * 300 + i), Bytes.Of(i, replica.Map.Info.ValueBytes));
            }
            var changes = world.Rest(replica);
            look.Expect(changes);
            new BatchApplier(replica).Apply(changes);
        }
        Assert.InRange(steps, 2, 10);
        Assert.Equal(!isSpoiled, look.Holds);
    }

    private static byte[] Key(MapType type, int number) => type == MapType.LpmTrie ? Bytes.Prefix(32, 10, (byte)(number >> 16), (byte)(number >> 8), (byte)number) : Bytes.Of(number);

    private static Sealed SealOf(ReplicaMap replica, MapShape shape)
    {
        var digest = ContentDigest.For(shape);
        byte[] keys = new byte[256 * shape.KeySize], values = new byte[256 * shape.ValueBytes];
        var scan = replica.Map.Scan();
        for (int count; (count = scan.Next(keys, values)) > 0;)
        {
            for (var i = 0; i < count; i++)
                digest.Add(keys.AsSpan(i * shape.KeySize, shape.KeySize), values.AsSpan(i * shape.ValueBytes, shape.ValueBytes));
        }
        return new Sealed(1, 1, 1, [], digest.Entries, digest.ToBytes());
    }
}
