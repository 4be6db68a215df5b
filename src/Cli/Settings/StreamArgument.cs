using System.CommandLine;

namespace Maplog.Cli.Settings;

/// <summary>The argument STREAM of a verb; a shell completes it from the log.</summary>
internal static class StreamArgument
{
    public static Argument<string> Make(string description = "SOURCE/MAP, for example lb-1/ct_map.")
    {
        var argument = new Argument<string>("STREAM") { Description = description, HelpName = "STREAM" };
        argument.CompletionSources.Add(LogCompletion.Streams);
        return argument;
    }

    public static Argument<string?> Optional()
    {
        var argument = new Argument<string?>("STREAM") { Description = "Only this stream. Default: all streams.", HelpName = "STREAM", Arity = ArgumentArity.ZeroOrOne };
        argument.CompletionSources.Add(LogCompletion.Streams);
        return argument;
    }
}
