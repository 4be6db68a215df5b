using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using Maplog.Configuration;

namespace Maplog.Cli;

/// <summary>The mistakes of a command line in this command's words; the form of the parser's sentences identifies them.</summary>
internal static partial class ParseMistake
{
    /// <param name="error">A mistake that the parser found.</param>
    /// <param name="command">The command with the mistake.</param>
    /// <param name="name">The command as typed, for example <c>maplog dump</c>.</param>
    /// <returns>A sentence.</returns>
    public static string Sentence(ParseError error, Command command, string name)
    {
        var message = error.Message;
        var first = Quoted().Match(message) is { Success: true } match ? match.Groups[1].Value : "";
        if (message.StartsWith("Required argument missing for command", StringComparison.Ordinal))
            return $"Give {string.Join(" and ", Needed(command))} after '{name}'.";
        if (message.StartsWith("Required argument missing for option", StringComparison.Ordinal))
            return $"{first}: the value is missing.";
        if (message.StartsWith("Option '", StringComparison.Ordinal) && message.EndsWith("is required.", StringComparison.Ordinal))
            return $"{first} is missing: '{name}' needs it.";
        if (message.StartsWith("Unrecognized command or argument", StringComparison.Ordinal))
            return Unknown(first, command, name);
        if (message.Contains("expects a single argument but", StringComparison.Ordinal))
            return $"{first} is given more than once.";
        if (message.Contains("Must be one of", StringComparison.Ordinal))
        {
            var allowed = Quoted().Matches(message).Skip(1).Select(m => m.Groups[1].Value);
            return $"{Owner(error)}'{Secrets.Hide(first)}' is not one of {string.Join(", ", allowed)}.";
        }
        if (message.StartsWith("Cannot parse argument", StringComparison.Ordinal))
        {
            var wanted = message.Contains("Int", StringComparison.Ordinal) ? "a whole number in range" : "a valid value";
            return $"{Owner(error)}'{Secrets.Hide(first)}' is not {wanted}.";
        }
        return message;
    }

    private static IEnumerable<string> Needed(Command command) =>
        command.Arguments.Where(a => a.Arity.MinimumNumberOfValues > 0).Select(a => a.Name);

    private static string Unknown(string word, Command command, string name)
    {
        var given = Secrets.Hide(word);
        if (!word.StartsWith('-'))
            return $"'{given}' is an extra word after '{name}'.";
        var near = Near.Names(word, Options(command));
        return $"'{given}' is not an option of '{name}'.{(near.Count > 0 ? $" Did you mean {string.Join(" or ", near.Select(n => $"'{n}'"))}?" : "")}";
    }

    private static IEnumerable<string> Options(Command command)
    {
        foreach (var option in command.Options)
            yield return option.Name;
        foreach (var parent in command.Parents.OfType<Command>())
            foreach (var name in Options(parent))
                yield return name;
    }

    private static string Owner(ParseError error) => error.SymbolResult switch
    {
        OptionResult option => $"{option.Option.Name}: ",
        ArgumentResult { Argument.Name: var argument } when argument.Length > 0 => $"{argument}: ",
        _ => "",
    };

    [GeneratedRegex("'([^']*)'")]
    private static partial Regex Quoted();
}
