using System.CommandLine;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.HotStandby;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog standby</c>: the hot-standby groups of this host.</summary>
internal static class Standby
{
    public static Option<string> Root { get; } = new("--root")
    {
        Description = "Folder of bpffs with the groups.",
        HelpName = "FOLDER",
        DefaultValueFactory = _ => StandbyGroup.DefaultRoot,
        Recursive = true,
    };

    public static Argument<string> Group { get; } = new("GROUP")
    {
        Description = "For example web.",
        HelpName = "GROUP",
        CompletionSources = { HostCompletion.Groups },
    };

    public static Argument<string> Member { get; } = new("MEMBER")
    {
        Description = "For example primary.",
        HelpName = "MEMBER",
        CompletionSources = { HostCompletion.Members },
    };

    public static Command Command(Terminal terminal)
    {
        var command = new ExampleCommand(
            "standby", "Hot standby on this host: which member of a group gets the next connection. Changes apply at once, and outlive a restart of the member, except for a drain.",
            "maplog standby list", "maplog standby drain web primary", "maplog standby weight web canary 5")
        {
            StandbyList.Command(terminal),
            StandbyWatch.Command(terminal),
            StandbyDrain.Command(terminal, "drain", "Give a member no new connections; its present connections continue.", drain: true),
            StandbyDrain.Command(terminal, "resume", "Give a draining member connections again.", drain: false),
            StandbyRank.Promote(terminal),
            StandbyRank.Command(terminal),
            StandbyWeight.Command(terminal),
            StandbySet.Command(terminal),
            StandbyRemove.Command(terminal),
        };
        command.Options.Add(Root);
        return command;
    }

    /// <summary>The group of the argument.</summary>
    /// <exception cref="UsageException">There is no such group.</exception>
    public static StandbyGroup Open(Call call, string name)
    {
        var root = call.Arguments.GetRequiredValue(Root);
        var group = StandbyGroup.Find(root, name);
        if (group is not null)
            return group;
        var names = StandbyGroup.Names(root);
        var near = Near.Names(name, names);
        throw new UsageException($"There is no group '{name}' in {root}" + (names.Count == 0
            ? ", and no other group: the first member creates a group."
            : near.Count > 0 ? $". Did you mean {string.Join(" or ", near)}?" : $"; there is {string.Join(", ", names)}."));
    }

    /// <summary>Changes a member, then prints its state.</summary>
    public static int Change(Call call, Action<StandbyGroup, string> change, Func<MemberStatus, string> said)
    {
        using var group = Open(call, call.Arguments.GetRequiredValue(Group));
        var name = call.Arguments.GetRequiredValue(Member);
        change(group, name);
        var member = group.Members().Where(m => m.Name == name).OrderByDescending(m => m.Incarnation).First();
        if (call.WantsJson)
            call.Terminal.Json(json => StandbyFormat.Write(json, member));
        else
            call.Terminal.Out.WriteLine(said(member));
        return ExitCode.Ok;
    }
}
