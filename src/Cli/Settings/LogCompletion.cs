using System.CommandLine.Completions;
using Maplog.Log;

namespace Maplog.Cli.Settings;

/// <summary>
/// Names that the log knows, as completions of a command line. The log is asked only while a shell completes, and for at most a second.
/// </summary>
internal static class LogCompletion
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public static IEnumerable<CompletionItem> Streams(CompletionContext context) => Ask(
        context, async (log, late) => (await new LogReader(log).ListStreamsAsync(cancellation: late)).Select(s => s.Stream.ToString()));

    public static IEnumerable<CompletionItem> Sources(CompletionContext context) => Ask(
        context, async (log, late) => await new LogSchema(log).ListSourcesAsync(late));

    public static IEnumerable<CompletionItem> Nodes(CompletionContext context) => Ask(
        context, async (log, late) => await new StatusReader(log).ReadNodesAsync(late));

    // Help asks too, for a name to show in its usage line: its context has no typed line.
    private static List<CompletionItem> Ask(CompletionContext context, Func<LogStore, CancellationToken, Task<IEnumerable<string>>> ask)
    {
        if (context is not TextCompletionContext)
            return [];
        using var late = new CancellationTokenSource(Patience);
        var asking = Task.Run(async () =>
        {
            await using var log = new LogStore(CommandSettings.Read(context.ParseResult).Log());
            return (await ask(log, late.Token)).Select(name => new CompletionItem(name)).ToList();
        });
        try
        {
            // Some steps ignore a cancellation (the resolver of host names does): a step that hangs is abandoned.
            return asking.WaitAsync(Patience).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is UsageException or LogException or OperationCanceledException or TimeoutException)
        {
            // A log that cannot be reached completes nothing, because a message would appear in the typed line.
            return [];
        }
    }
}
