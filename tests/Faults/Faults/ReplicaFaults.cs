using Maplog.Kernel;

namespace Maplog.Tests.Faults;

/// <summary>What may happen to a replica and to its daemon.</summary>
internal static class ReplicaFaults
{
    public static readonly Fault[] All =
    [
        new("replicator killed", async world =>
        {
            var number = world.Between(0, 1);
            world.Solo.Replicators[number].Kill();
            await world.Solo.Replicators[number].EndAsync();
            await world.WaitAsync(0, 1000);
            world.Solo.StartReplicator(number);
        }),
        new("replicator restarted", async world =>
        {
            await Solo.StopAsync(world.Solo.Replicators[0]);
            world.Solo.StartReplicator(0);
        }),
        new("replica removed", async world =>
        {
            await Solo.StopAsync(world.Solo.Replicators[1]);
            File.Delete(world.Hash.Replicas[1]);
            world.Solo.StartReplicator(1);
        }),
        // Not the LRU one: it is held against the whole log, and the longer that takes the less often.
        new("replica changed by somebody else", world =>
        {
            using var replica = BpfMap.OpenPinned(world.Hash.Replicas[world.Between(0, 1)]);
            var value = new byte[replica.Info.ValueBytes];
            replica.Delete(World.StillKey(1));
            replica.Update(World.StillKey(2), value);
            replica.Update(World.StillKey(900), value);
            return Task.CompletedTask;
        }),
    ];
}
