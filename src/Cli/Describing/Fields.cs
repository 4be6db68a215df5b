using Maplog.Btf;
using Maplog.Events;

namespace Maplog.Cli.Describing;

/// <summary>A field of a description, or a whole key or value, with its path (<c>key.saddr</c>, <c>value.ports[]</c>) and place.</summary>
internal sealed record Field(string Path, FieldType Type, int At);

/// <summary>A description, field by field.</summary>
internal static class Fields
{
    /// <summary>The fields that are shown separately: no structs, and arrays as a whole.</summary>
    public static IEnumerable<Field> Of(MapFields? fields) => [.. Leaves("key", fields?.Key, 0), .. Leaves("value", fields?.Value, 0)];

    /// <summary>The fields with a guessed meaning, as <c>key.saddr (ipv4)</c>.</summary>
    public static IReadOnlyList<string> Guesses(MapShape shape, MapFields? fields)
    {
        var guesses = Of(fields).Where(f => f.Type.Guess || f.Type.Of?.Guess == true).Select(f => $"{f.Path} ({FieldHint.WordOf((f.Type.Of ?? f.Type).Kind)})").ToList();
        if (fields?.Key is null && LpmPrefix.Applies(shape, null))
            guesses.Insert(0, "key (network)");
        return guesses;
    }

    /// <summary>One sentence that names the guesses; null: there are none.</summary>
    public static string? GuessNote(StreamName stream, MapShape shape, MapFields? fields)
    {
        const int shown = 6;
        var guesses = Guesses(shape, fields);
        var more = guesses.Count > shown ? $" and {guesses.Count - shown} more" : "";
        return guesses.Count == 0 ? null : $"guessed by name or size: {string.Join(", ", guesses.Take(shown))}{more}; 'maplog describe {stream}' shows all of them, and corrects them";
    }

    private static IEnumerable<Field> Leaves(string path, FieldType? type, int at) => type switch
    {
        null => [],
        { Kind: FieldKind.Struct } => type.Fields!.SelectMany(f => Leaves($"{path}.{f.Name}", f, at + f.At)),
        _ => [new Field(path, type, at)],
    };
}
