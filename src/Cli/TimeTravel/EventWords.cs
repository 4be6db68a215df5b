using System.Text.Json;
using Maplog.Events;

namespace Maplog.Cli.TimeTravel;

/// <summary>Kinds of events as the SQL views call them: added, deleted, gap_found ...</summary>
internal static class EventWords
{
    private static readonly Dictionary<string, EventKind> Kinds =
        Enum.GetValues<EventKind>().Where(k => k != EventKind.None).ToDictionary(Of, k => k);

    public static IEnumerable<string> All => Kinds.Keys;

    public static string Of(EventKind kind)
    {
        var word = JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString());
        return kind.IsChange() ? word["entry_".Length..] : word;
    }

    public static EventKind? KindOf(string word) => Kinds.TryGetValue(word, out var kind) ? kind : null;
}
