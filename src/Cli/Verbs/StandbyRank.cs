using System.CommandLine;
using Maplog.Cli.Output;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog standby rank GROUP MEMBER N</c> and <c>promote GROUP MEMBER</c></summary>
internal static class StandbyRank
{
    public static Command Command(Terminal terminal)
    {
        var rank = new Argument<int>("N") { Description = "From 0; the lowest serves." };
        var command = new ExampleCommand("rank", "Set a member's rank in a ranked group.", "maplog standby rank web primary 0") { Standby.Group, Standby.Member, rank };
        Call.Set(command, terminal, call => Task.FromResult(Standby.Change(
            call, (group, member) => group.Rank(member, call.Arguments.GetRequiredValue(rank)), m => $"Member {m.Name} has rank {m.Rank}.")));
        return command;
    }

    public static Command Promote(Terminal terminal)
    {
        var command = new ExampleCommand(
            "promote", "Make a member serve before all others: it gets rank 0, and the members before it move one back. Ends a held failback.", "maplog standby promote web standby") { Standby.Group, Standby.Member };
        Call.Set(command, terminal, call => Task.FromResult(Standby.Change(
            call, (group, member) => group.Promote(member), m => $"Member {m.Name} is promoted: rank {m.Rank}{(m.Faults == 0 ? "" : $", but it is {StandbyFormat.State(m)}")}.")));
        return command;
    }
}
