using System.Text.Json;
using Maplog.Events;

namespace Maplog.Cli.TimeTravel;

/// <summary>
/// Kinds of events and origins of changes with their names in the SQL views: added, deleted, gap_found ...; program, read-back ...
/// </summary>
internal static class EventWords
{
    private static readonly Dictionary<string, EventKind> Kinds =
        Enum.GetValues<EventKind>().Where(k => k != EventKind.None).ToDictionary(Of, k => k);

    private static readonly Dictionary<string, Origin> Origins = Enum.GetValues<Origin>().ToDictionary(Of, o => o);

    public static IEnumerable<string> AllOrigins => Origins.Keys;

    public static IEnumerable<string> All => Kinds.Keys;

    public static string Of(EventKind kind)
    {
        var word = JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString());
        return kind.IsChange() ? word["entry_".Length..] : word;
    }

    public static EventKind? KindOf(string word) => Kinds.TryGetValue(word, out var kind) ? kind : null;

    public static string Of(Origin origin) => JsonNamingPolicy.KebabCaseLower.ConvertName(origin.ToString());

    public static Origin? OriginOf(string word) => Origins.TryGetValue(word, out var origin) ? origin : null;
}
