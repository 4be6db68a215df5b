using Maplog.Kernel;
using Maplog.Tests.Recorded;

namespace Maplog.Tests.Faults;

/// <summary>What the ring could not hold, and what no hook sees.</summary>
internal static class LossFaults
{
    public const int MoreThanTheRingHolds = 200_000;

    private const int Unseen = 100;

    public static readonly Fault[] All =
    [
        new("ring full, as the log does not answer", async world =>
        {
            world.Postgres.Freeze();
            world.Hash.Load.Burst(MoreThanTheRingHolds);
            world.Postgres.Thaw();
            await Task.CompletedTask;
        }, "ring-full"),
        new("writes that no hook sees", WriteUnseenAsync),
    ];

    // By mapdriver: through the pointer that a program's lookup gave, and through a mapped array.
    private static async Task WriteUnseenAsync(World world)
    {
        string[] rows = [Solo.Pointers, Solo.Mapped];
        var folder = Directory.CreateTempSubdirectory("maplog-faults-");
        var driver = new Command(folder.FullName,
        [
            Path.Combine(Repository.Driver, "mapdriver"), "rows", "--out", "rows", "--count", $"{Unseen}", "--stepwise", "--seed", $"{world.Between(1, 1 << 20)}",
            "--pin", world.Solo.DriverPins, .. rows.SelectMany(r => new[] { "--only", r }),
        ]);
        try
        {
            await driver.SaysAsync("ready");
            driver.GoOn();
            await driver.SaysAsync("done");
            foreach (var row in rows)
            {
                using var map = BpfMap.OpenPinned(Path.Combine(world.Solo.DriverPins, row), MapAccess.Read);
                await world.EqualAsync(row, map);
            }
            driver.GoOn();
            await driver.EndAsync();
        }
        finally
        {
            driver.Dispose();
            foreach (var pin in Directory.GetFiles(world.Solo.DriverPins))
                File.Delete(pin);
            folder.Delete(recursive: true);
        }
    }
}
