using System.CommandLine;
using Maplog.Cli.Output;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog standby drain GROUP MEMBER</c> and <c>resume</c></summary>
internal static class StandbyDrain
{
    public static Command Command(Terminal terminal, string verb, string description, bool drain)
    {
        var command = new ExampleCommand(verb, description, $"maplog standby {verb} web primary") { Standby.Group, Standby.Member };
        Call.Set(command, terminal, call => Task.FromResult(Standby.Change(
            call, (group, member) => group.Drain(member, drain),
            m => drain ? $"Member {m.Name} takes no new connections while another member can." : $"Member {m.Name} takes connections again.")));
        return command;
    }
}
