using Maplog.Kernel;

namespace Maplog.Tests.Faults;

/// <summary>A map's end, and its successor's beginning.</summary>
internal static class GenerationFaults
{
    public static readonly Fault[] All =
    [
        new("map made again", world => ReplaceAsync(world, world.Hash, MapType.Hash)),
        new("map made again, of another shape", world => ReplaceAsync(world, world.Hash, MapType.Hash, otherShape: true)),
        new("LRU map made again", world => ReplaceAsync(world, world.Lru, MapType.LruHash)),
        new("map made again while capture is down", world => WhileDownAsync(world, otherShape: false)),
        new("map made again, of another shape, while capture is down", world => WhileDownAsync(world, otherShape: true)),
        new("map made again while nothing is hooked", async world =>
        {
            await world.Solo.StopCaptureAsync();
            await world.Solo.DetachAsync();
            await ReplaceAsync(world, world.Hash, MapType.Hash);
            await world.Solo.StartCaptureAsync();
        }, "late-attach", "down"),
        new("two maps of one name", world => RollAsync(world, () => Task.CompletedTask)),
        new("two maps of one name, and capture killed meanwhile", world => RollAsync(world, async () =>
        {
            await world.Solo.KillCaptureAsync();
            await world.Solo.StartCaptureAsync();
        })),
    ];

    private static async Task WhileDownAsync(World world, bool otherShape)
    {
        await world.Solo.KillCaptureAsync();
        await world.WaitAsync(0, 500);
        await ReplaceAsync(world, world.Hash, MapType.Hash, otherShape);
        await world.Solo.StartCaptureAsync();
    }

    private static async Task ReplaceAsync(World world, Watched map, MapType type, bool otherShape = false)
    {
        map.Load.Pause();
        var before = map.Load.Map;
        var (name, valueSize) = (before.Info.Name, before.Info.ValueSize);
        before.Dispose();
        map.Load.MoveToNew(World.NewMap(name, type, otherShape ? valueSize ^ 32 : valueSize), World.StillEntries);
        map.Load.Pour();
        await world.WaitAsync(200, 800);
    }

    // As in a rolling upgrade: both programs run for a while, each with its own map, and then the older ends.
    private static async Task RollAsync(World world, Func<Task> meanwhile)
    {
        var (load, before) = (world.Hash.Load, world.Hash.Load.Map);
        var next = World.NewMap(before.Info.Name, MapType.Hash, before.Info.ValueSize);
        using (var newer = new Load(next, world.Random.Next(), threads: 1))
        {
            newer.Pour();
            await world.WaitAsync(300, 1000);
            await meanwhile();
            await world.WaitAsync(300, 1000);
            load.Pause();
            before.Dispose();
            newer.Pause();
            load.MoveToNew(next, World.StillEntries + newer.Made);
        }
        load.Pour();
        await world.WaitAsync(200, 800);
    }
}
