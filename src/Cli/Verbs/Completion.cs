using System.CommandLine;
using Maplog.Cli.Output;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog completion SHELL</c></summary>
internal static class Completion
{
    // Each script passes the words up to the cursor to 'maplog complete', which knows verbs, options and, from the log, streams.
    private static readonly Dictionary<string, string> Scripts = new()
    {
        ["bash"] = """
            _maplog() {
                local IFS=$'\n'
                COMPREPLY=($(maplog complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
            }
            complete -o default -F _maplog maplog
            """,
        ["zsh"] = """
            #compdef maplog
            _maplog() {
                local -a found
                found=(${(f)"$(maplog complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)"})
                if (( $#found )); then compadd -Q -- "${found[@]}"; else _files; fi
            }
            compdef _maplog maplog
            """,
        ["fish"] = """
            function __maplog_complete
                set -l words (commandline -opc) (commandline -ct)
                maplog complete -- $words[2..-1] 2>/dev/null
            end
            complete -c maplog -a '(__maplog_complete)'
            """,
    };

    public static Command Command(Terminal terminal)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong([.. Scripts.Keys]);
        var command = new ExampleCommand(
            "completion", "Print a script that makes the shell complete verbs, options and names of streams.",
            "source <(maplog completion bash)", "maplog completion zsh > ~/.zfunc/_maplog", "maplog completion fish > ~/.config/fish/completions/maplog.fish") { shell };
        command.SetAction(arguments =>
        {
            terminal.Out.WriteLine(Scripts[arguments.GetRequiredValue(shell)]);
            terminal.Flush();
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary><c>maplog complete -- WORDS</c>, which the scripts call: the possible values of the last word.</summary>
    public static Command Words(Terminal terminal, Func<Command> root)
    {
        var words = new Argument<string[]>("WORDS") { Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("complete", "Print the possible values of the last word.") { words };
        command.Hidden = true;
        command.SetAction(arguments =>
        {
            var given = arguments.GetValue(words) ?? [];
            var last = given is [.., var word] ? word : "";
            // The library completes at a place in a line; the words before it are quoted, the word at it is not.
            var line = string.Concat(given.SkipLast(1).Select(w => w.AsSpan().ContainsAny(" \"'") ? $"\"{w.Replace("\"", "", StringComparison.Ordinal)}\" " : $"{w} ")) + last;
            foreach (var completion in root().Parse(line).GetCompletions(line.Length).Select(c => c.Label).Where(l => l.StartsWith(last, StringComparison.Ordinal)).Distinct().Order(StringComparer.Ordinal))
                terminal.Out.WriteLine(completion);
            terminal.Flush();
            return ExitCode.Ok;
        });
        return command;
    }
}
