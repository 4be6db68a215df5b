using System.CommandLine;
using Maplog.Log;

namespace Maplog.Cli.Settings;

/// <summary>The argument STREAM of a verb; a shell completes it from the log.</summary>
internal static class StreamArgument
{
    /// <summary>Nobody waits longer for a completion.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public static Argument<string> Make(string description = "SOURCE/MAP, for example lb-1/ct_map.")
    {
        var argument = new Argument<string>("STREAM") { Description = description };
        argument.CompletionSources.Add(context => Names(context.ParseResult));
        return argument;
    }

    private static List<string> Names(ParseResult arguments)
    {
        try
        {
            using var late = new CancellationTokenSource(Patience);
            return Task.Run(async () =>
            {
                await using var log = new LogStore(CommandSettings.Read(arguments).Log());
                return (await new LogReader(log).ListStreamsAsync(cancellation: late.Token)).Select(s => s.Stream.ToString()).ToList();
            }).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is UsageException or LogException or OperationCanceledException)
        {
            // A log that is away completes nothing, and a complaint would be written into the line that is being typed.
            return [];
        }
    }
}
