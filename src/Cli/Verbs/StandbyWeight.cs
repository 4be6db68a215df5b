using System.CommandLine;
using Maplog.Cli.Output;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog standby weight GROUP MEMBER N</c></summary>
internal static class StandbyWeight
{
    public static Command Command(Terminal terminal)
    {
        var weight = new Argument<int>("N") { Description = "From 0 (no connections) to 1,000,000." };
        var command = new ExampleCommand("weight", "Set a member's share in a weighted group.", "maplog standby weight web canary 5") { Standby.Group, Standby.Member, weight };
        Call.Set(command, terminal, call => Task.FromResult(Standby.Change(
            call, (group, member) => group.Weigh(member, call.Arguments.GetRequiredValue(weight)), m => $"Member {m.Name} has weight {m.Weight}.")));
        return command;
    }
}
