using System.CommandLine.Completions;
using Maplog.Cli.Verbs;
using Maplog.HotStandby;

namespace Maplog.Cli.Settings;

/// <summary>Names that this host knows, as completions of a command line: pins, and groups and members of hot standby.</summary>
internal static class HostCompletion
{
    private const string Bpffs = "/sys/fs/bpf/";

    /// <summary>Pins and folders next to the typed path; those of bpffs while nothing is typed.</summary>
    public static IEnumerable<CompletionItem> Pins(CompletionContext context)
    {
        var typed = context.WordToComplete;
        var path = typed.Contains('/', StringComparison.Ordinal) ? typed : Bpffs;
        var folder = path[..(path.LastIndexOf('/') + 1)];
        return Read(context, () => Directory.EnumerateDirectories(folder).Select(d => $"{d}/").Concat(Directory.EnumerateFiles(folder)));
    }

    public static IEnumerable<CompletionItem> Groups(CompletionContext context) => Read(context, () => StandbyGroup.Names(Root(context)));

    public static IEnumerable<CompletionItem> Members(CompletionContext context) => Read(context, () =>
    {
        // From the words: the typed line may have no result for it yet.
        using var group = context.ParseResult.GetResult(Standby.Group)?.Tokens is [{ Value: var name }, ..] ? StandbyGroup.Find(Root(context), name) : null;
        return group is null ? [] : [.. group.Members().Select(m => m.Name).Distinct()];
    });

    private static string Root(CompletionContext context) => context.ParseResult.GetResult(Standby.Root)?.Tokens is [{ Value: var root }, ..] ? root : StandbyGroup.DefaultRoot;

    private static List<CompletionItem> Read(CompletionContext context, Func<IEnumerable<string>> read)
    {
        if (context is not TextCompletionContext)
            return [];
        try
        {
            return [.. read().Select(name => new CompletionItem(name))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or StandbyException or Kernel.KernelException)
        {
            // A folder that cannot be read completes nothing, because a message would appear in the typed line.
            return [];
        }
    }
}
