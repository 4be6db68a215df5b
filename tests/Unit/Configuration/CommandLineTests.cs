using Maplog.Configuration;
using Xunit;

namespace Maplog.Tests.Unit.Configuration;

public class CommandLineTests
{
    private static readonly CommandSwitch[] Switches = [new("--log", "CONNECTION", "", "Maplog:Log:ConnectionString"), new("--map", "NAME", "", "Maplog:R:{0}:Map")];

    [Fact]
    public void Options_become_settings_and_one_that_is_repeated_counts()
    {
        var line = CommandLine.Parse(["--log", "Host=a;Port=1", "--map=x", "--map", "y", "--Maplog:Log:Schema=other", "--config=/a.json"], Switches);
        Assert.Empty(line.Mistakes);
        Assert.Equal("Host=a;Port=1", line.Settings["Maplog:Log:ConnectionString"]);
        Assert.Equal(("x", "y", "other"), (line.Settings["Maplog:R:0:Map"], line.Settings["Maplog:R:1:Map"], line.Settings["Maplog:Log:Schema"]));
        Assert.Equal(["/a.json"], line.Files);
    }

    [Fact]
    public void Every_mistake_is_told()
    {
        var line = CommandLine.Parse(["--nolog", "--log", "a", "--log", "b", "--map"], Switches);
        Assert.Equal(["--nolog", "--log", "--map"], line.Mistakes.Select(m => m.Split(':')[0]));
    }
}
