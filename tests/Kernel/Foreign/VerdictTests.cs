using Maplog.Kernel;
using Maplog.Servers;
using Maplog.Tests.Kernel.Capturing;

namespace Maplog.Tests.Kernel.Foreign;

/// <summary>The hook's verdicts of maps with high ids, which a host has after 262,144 maps: the hash for them has room for 65,536.</summary>
public sealed class VerdictTests(TestPostgres postgres)
{
    private const uint FirstId = 1_000_000_000, Room = 65_536;

    [Fact(Timeout = 300_000)]
    public async Task The_verdicts_of_maps_that_are_gone_make_room_for_others()
    {
        using var map = BusyMap.Create("maplog_verdict");
        await using var capture = await CaptureProcess.StartStayingAsync(postgres, 1 << 20, map.Info.Name);
        await capture.WatchesAsync(map.Info.Name);
        using var verdicts = BpfMap.OpenPinned(Path.Combine(capture.Registry, CaptureProcess.Source, "beyond"));
        uint filled = 0;
        while (verdicts.TryUpdate(BitConverter.GetBytes(FirstId + filled), BitConverter.GetBytes(1)) == 0)
            filled++;
        Assert.True(filled >= Room, $"{filled}");
        while (Has(FirstId) || Has(FirstId + filled - 1))
        {
            Assert.False(capture.HasEnded, capture.Said);
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
        await capture.StopAsync();

        bool Has(uint id) => verdicts.Lookup(BitConverter.GetBytes(id), new byte[sizeof(uint)]);
    }
}
