using System.CommandLine;

namespace Maplog.Cli.Settings;

/// <summary>The argument SOURCE of a verb; a shell completes it from the log.</summary>
internal static class SourceArgument
{
    public static Argument<string> Make()
    {
        var argument = new Argument<string>("SOURCE") { Description = "For example lb-1.", HelpName = "SOURCE" };
        argument.CompletionSources.Add(LogCompletion.Sources);
        return argument;
    }

    public static Argument<string?> Optional(string description)
    {
        var argument = new Argument<string?>("SOURCE") { Description = description, HelpName = "SOURCE", Arity = ArgumentArity.ZeroOrOne };
        argument.CompletionSources.Add(LogCompletion.Sources);
        return argument;
    }
}
