namespace Maplog.Tests.Faults;

/// <summary>What may happen to the daemon that captures: the ring and the hook are the kernel's, and go on.</summary>
internal static class CaptureFaults
{
    public static readonly Fault[] All =
    [
        new("capture killed", async world =>
        {
            await world.Solo.KillCaptureAsync();
            await world.WaitAsync(0, 500);
            await world.Solo.StartCaptureAsync();
        }),
        new("capture killed as it starts", async world =>
        {
            for (var i = 0; i < 2; i++)
            {
                await world.Solo.KillCaptureAsync();
                var start = world.Solo.StartCaptureAsync();
                await Task.WhenAny(start, world.WaitAsync(300, 2000));
                await world.Solo.KillCaptureAsync();
                await Task.WhenAny(start.ContinueWith(_ => { }, TaskScheduler.Default));
            }
            await world.Solo.StartCaptureAsync();
        }),
        new("capture restarted, as in an upgrade", async world =>
        {
            await world.Solo.StopCaptureAsync();
            await world.Solo.StartCaptureAsync();
        }),
        new("capture down for seconds", async world =>
        {
            await world.Solo.KillCaptureAsync();
            await world.WaitAsync(2000, 4000);
            await world.Solo.StartCaptureAsync();
        }),
        new("capture down until the ring is full", async world =>
        {
            await world.Solo.KillCaptureAsync();
            world.Hash.Load.Burst(LossFaults.MoreThanTheRingHolds);
            await world.Solo.StartCaptureAsync();
        }, "ring-full"),
        new("hook detached, and attached late", async world =>
        {
            await world.Solo.StopCaptureAsync();
            await world.Solo.DetachAsync();
            await world.WaitAsync(100, 1000);
            await world.Solo.StartCaptureAsync();
        }, "down"),
    ];
}
