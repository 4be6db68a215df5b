using System.CommandLine;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.HotStandby;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog standby list</c></summary>
internal static class StandbyList
{
    public static Command Command(Terminal terminal)
    {
        var group = new Argument<string?>("GROUP") { Description = "Only this one.", HelpName = "GROUP", Arity = ArgumentArity.ZeroOrOne };
        group.CompletionSources.Add(HostCompletion.Groups);
        var command = new ExampleCommand(
            "list", "The groups of this host and their members: rank, weight, state, age of the heartbeat, connections chosen.", "maplog standby list", "maplog standby list web --json") { group, TableOptions.Csv };
        Call.Set(command, terminal, call => Task.FromResult(Run(call, call.Arguments.GetValue(group))));
        return command;
    }

    private static int Run(Call call, string? name)
    {
        var root = call.Arguments.GetRequiredValue(Standby.Root);
        var names = name is null ? StandbyGroup.Names(root) : [name];
        var code = ExitCode.Ok;
        if (call.WantsJson)
        {
            call.Terminal.Json(json =>
            {
                json.WriteStartArray();
                Each(group => StandbyFormat.Write(json, group));
                json.WriteEndArray();
            });
        }
        else if (call.WantsCsv)
        {
            // One table for all: the group is a column.
            var rows = new List<(string Group, MemberStatus Member)>();
            Each(group => rows.AddRange(group.Members().Select(m => (group.Name, m))));
            StandbyFormat.TableOfGroups(rows).WriteCsv(call.Terminal.Out);
        }
        else
        {
            Each(group => Print(call.Terminal, group));
            if (names.Count == 0)
                call.Terminal.Complain($"There is no group in {root}: the first member creates a group.");
        }
        return code;

        // A group that cannot be read is reported, and the next one is listed.
        void Each(Action<StandbyGroup> write)
        {
            foreach (var each in names)
            {
                try
                {
                    using var group = Standby.Open(call, each);
                    write(group);
                }
                catch (StandbyException e) when (name is null)
                {
                    call.Terminal.Complain(e.Message);
                    code = ExitCode.Failed;
                }
            }
        }
    }

    private static void Print(Terminal terminal, StandbyGroup group)
    {
        var (unchosen, refused) = group.Nobody();
        terminal.Out.WriteLine(
            $"{group.Name}: {StandbyFormat.Policy(group.Policy)}, failback {StandbyFormat.Failback(group.Failback)}, timeout {group.Timeout.TotalMilliseconds:0} ms"
            + (group.Migrates ? "" : ", without migration") + (unchosen > 0 ? $", {unchosen} left to the kernel" : "") + (refused > 0 ? $", {refused} refused" : ""));
        var members = group.Members();
        if (members.Count > 0)
            StandbyFormat.Table(members).Write(terminal);
        else
            terminal.Out.WriteLine("  it has no member");
    }
}
