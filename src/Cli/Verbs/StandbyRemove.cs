using System.CommandLine;
using Maplog.Cli.Output;
using Maplog.HotStandby;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog standby remove GROUP</c></summary>
internal static class StandbyRemove
{
    public static Command Command(Terminal terminal)
    {
        var command = new ExampleCommand("remove", "Remove the pins of a group without members.", "maplog standby remove web") { Standby.Group };
        Call.Set(command, terminal, call => Task.FromResult(Run(call, call.Arguments.GetRequiredValue(Standby.Group))));
        return command;
    }

    private static int Run(Call call, string name)
    {
        var root = call.Arguments.GetRequiredValue(Standby.Root);
        var removed = StandbyGroup.Remove(root, name);
        if (call.WantsJson)
        {
            call.Terminal.Json(json =>
            {
                json.WriteStartObject();
                json.WriteString("group", name);
                json.WriteBoolean("removed", removed);
                json.WriteEndObject();
            });
        }
        else
        {
            call.Terminal.Out.WriteLine(removed ? $"Group {name} is removed." : $"There is no group {name} in {root}: nothing to remove.");
        }
        return ExitCode.Ok;
    }
}
