using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Cli.Verbs;
using Maplog.Configuration;

namespace Maplog.Cli;

/// <summary>The command <c>maplog</c>: nouns read, verbs change; one file per verb under Verbs.</summary>
internal static class CommandTree
{
    /// <summary>Time for a command to end after Ctrl-C or SIGTERM.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);

    /// <summary>A word that begins with @ is a time (unix seconds) here, and not a file of arguments.</summary>
    private static readonly ParserConfiguration Parser = new() { ResponseFileTokenReplacer = null };

    /// <returns>The exit code, see <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, Terminal terminal, CancellationToken cancellation = default)
    {
        var parsed = Make(terminal).Parse(arguments, Parser);
        if (parsed.Action is ParseErrorAction)
            return Refuse(parsed, terminal);
        var invocation = new InvocationConfiguration
        {
            Output = terminal.Out,
            Error = terminal.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = Farewell,
        };
        return await parsed.InvokeAsync(invocation, cancellation);
    }

    private static Command Make(Terminal terminal)
    {
        var root = new Command("maplog", "An event log for eBPF maps: shows the logged maps, their content and their changes.\n\nExit codes: 0 ok; 1 a difference or a problem was found, or the command failed; 2 the command line or a setting is wrong; 3 the history was pruned; 130 interrupted.")
        {
            Status.Command(terminal),
            Maps.Command(terminal),
            Dump.Command(terminal),
            Get.Command(terminal),
            Replay.Command(terminal),
            History.Command(terminal),
            Diff.Command(terminal),
            Watch.Command(terminal),
            Describe.Command(terminal),
            Verify.Command(terminal),
            VerifyLog.Command(terminal),
            Snapshot.Command(terminal),
            Prune.Command(terminal),
            Audit.Command(terminal),
            Doctor.Command(terminal),
            Source.Command(terminal),
            Migrate.Command(terminal),
            Promote.Command(terminal),
            Forget.Command(terminal),
            Detach.Command(terminal),
            Standby.Command(terminal),
            Completion.Command(terminal),
            Completion.Words(terminal, () => Make(terminal)),
        };
        foreach (var option in CommonOptions.All)
            root.Options.Add(option);
        var help = new HelpOption("--help", "-h", "-?"); // the library's own has /? and /h, which look like paths
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
        root.Options.Add(help);
        root.Options.Add(new VersionOption());
        return root;
    }

    private static int Refuse(ParseResult parsed, Terminal terminal)
    {
        var command = parsed.CommandResult.Command;
        var name = string.Join(' ', Path(command));
        if (command.Subcommands.Count == 0)
        {
            foreach (var sentence in parsed.Errors.Select(e => ParseMistake.Sentence(e, command, name)).Distinct())
                terminal.Complain($"{sentence} See '{name} --help'.");
            return ExitCode.Usage;
        }
        var names = command.Subcommands.Where(c => !c.Hidden).Select(c => c.Name).ToList();
        if (parsed.UnmatchedTokens is [var given, ..])
        {
            var near = Near.Names(given, [.. names, .. command.Subcommands.SelectMany(c => c.Aliases)]);
            terminal.Complain($"'{Secrets.Hide(given)}' is not a command of {name}{(near.Count > 0 ? $". Did you mean {string.Join(" or ", near.Select(n => $"'{n}'"))}?" : $": {string.Join(", ", names)}.")} See '{name} --help'.");
        }
        else
        {
            terminal.Complain($"Give a command after '{name}': {string.Join(", ", names)}. See '{name} --help'.");
        }
        return ExitCode.Usage;
    }

    private static IEnumerable<string> Path(Symbol symbol)
    {
        foreach (var parent in symbol.Parents)
            return [.. Path(parent), symbol.Name];
        return [symbol.Name];
    }
}
