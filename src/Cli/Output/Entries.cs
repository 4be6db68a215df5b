using Maplog.Folding;
using Maplog.Kernel;

namespace Maplog.Cli.Output;

/// <summary>Entries of a map at a version, as JSON with the names of the SQL views.</summary>
internal static class Entries
{
    public static void WriteJson(Terminal terminal, StreamFold fold, IReadOnlyCollection<(byte[] Key, byte[] Value)> entries, FieldFormat fields, int limit = int.MaxValue)
    {
        terminal.Json(json =>
        {
            json.WriteStartObject();
            json.WriteString("stream", fold.Stream.ToString());
            json.WriteNumber("version", fold.Version.Value);
            json.WriteString("at", Times.Of(fold.Time));
            json.WriteNumber("count", entries.Count);
            json.WriteStartArray("entries");
            foreach (var (key, value) in entries.Take(limit))
            {
                json.WriteStartObject();
                fields.WriteKey(json, key);
                json.WritePropertyName("value");
                fields.WriteValue(json, value);
                json.WriteString("key_bytes", Hex.Of(key));
                json.WriteString("value_bytes", Hex.Of(value));
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    /// <summary>The comment lines above entries: the map, the time, the number of entries, and the guesses.</summary>
    public static void WriteHead(Terminal terminal, StreamFold fold, int count, string? guesses)
    {
        var shape = fold.Shape!;
        var filled = ((MapType)shape.Type).IsArray() && count < shape.MaxEntries ? "entries written; the others are zero" : "entries";
        terminal.Out.WriteLine($"# {fold.Stream} at version {fold.Version}, {Times.Of(fold.Time)}: {MapTypeNames.Of(shape.Type)}, {count} of {shape.MaxEntries} {filled}{(fold.IsOpen ? "" : "; the map is closed")}");
        if (guesses is not null)
            terminal.Out.WriteLine($"# {guesses}");
    }
}
