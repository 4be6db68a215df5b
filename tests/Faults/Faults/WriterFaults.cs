namespace Maplog.Tests.Faults;

/// <summary>A source goes from one node to the other: as planned, behind the writer's back, or after its death.</summary>
internal static class WriterFaults
{
    public static readonly Fault[] All =
    [
        new("promotion", async world =>
        {
            await PromoteAsync(world);
            HandedOver(world);
        }) { HandsOver = true },
        new("promotion, at rest", async world =>
        {
            world.Pair.Load.Pause();
            await PromoteAsync(world);
            HandedOver(world);
        }),
        new("writer deposed behind its back", async world =>
        {
            world.Writer.Capture.Stop();
            await PromoteAsync(world, "--force");
            await world.WaitAsync(0, 1000);
            world.Pair.Load.Pause();
            var deposed = world.Writer.Capture;
            HandedOver(world);
            deposed.GoOnRunning();
            await deposed.SaysAsync("has been deposed");
        }, "handover") { HandsOver = true },
        new("writer died, and another promoted", async world =>
        {
            world.Writer.Capture.Kill();
            await world.Writer.Capture.EndAsync();
            await PromoteAsync(world);
            world.Pair.Load.Pause();
            world.Writer.Capture.Dispose();
            world.Writer.StartCapture();
            await world.Writer.Capture.SaysAsync("Standing by");
            HandedOver(world);
        }, "handover") { HandsOver = true },
        new("writer killed, and started again", async world =>
        {
            world.Writer.Capture.Kill();
            await world.Writer.Capture.EndAsync();
            world.Writer.Capture.Dispose();
            world.Writer.StartCapture();
            await world.Writer.Capture.SaysAsync("Capturing source");
        }),
    ];

    private static async Task PromoteAsync(World world, params string[] more) => await world.CommandAsync(["promote", world.Pair.Stream.Source, "--node", world.Other.Name, "--within", "120", .. more]);

    // Whoever moves the traffic does so after the promotion.
    private static void HandedOver(World world)
    {
        world.Pair.Load.Pause();
        world.HandedOver();
        world.Pair.Load.Pour();
    }
}
