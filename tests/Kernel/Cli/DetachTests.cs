using Maplog.Kernel;
using Maplog.Tests.Integration.Cli;

namespace Maplog.Tests.Kernel.Cli;

public sealed class DetachTests
{
    [Fact]
    public async Task All_pins_of_the_source_go_and_are_named()
    {
        var source = $"test-{Guid.NewGuid():N}";
        using var pins = new PinFolder();
        var folder = pins[source];
        Bpffs.EnsureMounted(folder);
        using (var map = BpfMap.Create("ring", MapType.Hash, 4, 4, 1))
        {
            map.Pin($"{folder}/ring");
            map.Pin($"{folder}/link_one");
        }

        var run = await CommandRun.OfAsync("detach", source, "--pin-root", pins.Folder);
        Assert.Equal("", run.Error);
        Assert.Equal(0, run.Code);
        Assert.Equal([$"removed {folder}/link_one", $"removed {folder}/ring", $"Source {source} is detached: 2 pins removed."], run.Lines);
        Assert.False(Directory.Exists(folder));

        var again = await CommandRun.OfAsync("detach", source, "--pin-root", pins.Folder, "--json");
        Assert.Equal(0, again.Code);
        Assert.Contains("\"removed\": []", again.Output, StringComparison.Ordinal);
    }
}
