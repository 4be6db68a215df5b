using System.CommandLine;
using System.Text.Json;
using Maplog.Btf;
using Maplog.Cli.Describing;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Events;
using Maplog.Log;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog describe STREAM</c></summary>
internal static class Describe
{
    public static Command Command(Terminal terminal)
    {
        var stream = StreamArgument.Make();
        var btf = new Option<string?>("--btf") { Description = "Take the types of key and value from this object file (compiled with -g): the types of its map of the same name, or the types named with --key and --value.", HelpName = "FILE" };
        var key = new Option<string?>("--key") { Description = "The key's type in that file, as 'struct flow'.", HelpName = "TYPE" };
        var value = new Option<string?>("--value") { Description = "The value's type in that file.", HelpName = "TYPE" };
        var hints = new Option<string[]>("--hint")
        {
            Description = $"The kind of one field: {FieldHint.Form}; KIND is one of {string.Join(", ", FieldHint.Kinds)}. Repeatable.",
            HelpName = "HINT",
        };
        var reset = new Option<bool>("--reset") { Description = "Remove earlier hints and types of this map." };
        var command = new ExampleCommand(
            "describe", "Show the fields of a map's keys and values, and which of them are guesses; or describe the fields. The log keeps the description, for all verbs and for SQL, and applies it to each later generation of the map with the same fields. Describing needs the role maplog_admin.",
            "maplog describe lb-1/ct_map", "maplog describe lb-1/ct_map --hint key.dport=port --hint value.peer=ipv4", "maplog describe lb-1/ct_map --btf prog.o --key 'struct ct_key' --value ct_value",
            "maplog describe lb-1/plain --hint key=ipv4 --hint value.port@0:2=number --hint value.peer@4=ipv4") { stream, btf, key, value, hints, reset, TableOptions.Csv };
        Call.Set(command, terminal, call => RunAsync(call, call.Arguments.GetRequiredValue(stream), new Wanted(
            call.Arguments.GetValue(btf), call.Arguments.GetValue(key), call.Arguments.GetValue(value), call.Arguments.GetValue(hints) ?? [], call.Arguments.GetValue(reset))));
        return command;
    }

    private static async Task<int> RunAsync(Call call, string name, Wanted wanted)
    {
        if (wanted.Btf is null && (wanted.Key ?? wanted.Value) is not null)
            throw new UsageException("--key and --value name types of an object file: give the file with --btf.");
        await using var log = call.OpenLog();
        var found = await call.FindStreamAsync(log, name);
        var map = found.Opened ?? throw new LogException($"Stream {found.Stream} has no map yet, so there is nothing to describe.");
        if (wanted.IsSaid)
            await new DescriptionStore(log).SaveAsync(found.Stream, map, await SayAsync(log, found.Stream, map, wanted, call.Cancellation), cancellation: call.Cancellation);
        var descriptions = await Descriptions.ReadAsync(log, found.Stream, call.Cancellation);
        if (call.WantsJson)
            call.Terminal.Json(json => Write(json, found.Stream, map, descriptions));
        else
            Write(call.Terminal, found.Stream, map, descriptions, call.WantsCsv);
        return ExitCode.Ok;
    }

    /// <returns>Null: only the log's own description is left.</returns>
    private static async Task<MapFields?> SayAsync(LogStore log, StreamName stream, MapOpened map, Wanted wanted, CancellationToken cancellation)
    {
        var own = Descriptions.OwnOf(map);
        var fields = wanted.Resets ? own : (await Descriptions.ReadAsync(log, stream, cancellation)).Of(map);
        if (wanted.Btf is { } path)
        {
            var types = new ObjectTypes(path).Read(map, wanted.Key, wanted.Value);
            fields = new MapFields(types.Key ?? fields?.Key, types.Value ?? fields?.Value);
        }
        if (wanted.Hints.Length > 0)
            fields = FieldHints.Apply(fields, own, map.Shape, wanted.Hints);
        return wanted.Resets && wanted.Btf is null && wanted.Hints.Length == 0 ? null : fields;
    }

    private static void Write(Terminal terminal, StreamName stream, MapOpened map, Descriptions descriptions, bool asCsv)
    {
        var (shape, fields, stored) = (map.Shape, descriptions.Of(map), descriptions.StoredOf(map));
        var by = stored is null ? "" : $", described by {stored.By} on {Times.Of(stored.At)}";
        if (!asCsv)
            terminal.Out.WriteLine($"# {stream}: keys of {shape.KeySize}, values of {shape.ValueSize} bytes{by}");
        if (!asCsv && fields is null && !LpmPrefix.Applies(shape, null))
        {
            terminal.Out.WriteLine("# their fields are unknown, so they are shown in hex. 'maplog describe --help' shows how to describe them.");
            return;
        }
        var table = new TextTable("Field", "Bytes", "Kind", "Known by");
        if (LpmPrefix.Applies(shape, fields?.Key))
            table.Add("key", Place(0, shape.KeySize), "network", fields?.Key is null ? "guess (size)" : "trie");
        var own = Fields.Of(Descriptions.OwnOf(map)).ToDictionary(f => f.Path);
        foreach (var field in Fields.Of(fields))
        {
            var isOwn = own.TryGetValue(field.Path, out var known) && known.Type.Kind == field.Type.Kind && known.At == field.At;
            table.Add(field.Path, Place(field.At, field.Type.Size), Kind(field.Type), IsGuess(field.Type) ? "guess (name)" : isOwn ? "type" : "said");
        }
        if (asCsv)
        {
            table.WriteCsv(terminal.Out);
            return;
        }
        table.Write(terminal);
        if (Fields.Of(fields).Any(f => f.Type is { Guess: true, Kind: FieldKind.Number }))
            terminal.Out.WriteLine($"# ports of an integer type are numbers in the machine's byte order; if the program keeps them in network byte order: maplog describe {stream} --hint FIELD=port");
    }

    private static void Write(Utf8JsonWriter json, StreamName stream, MapOpened map, Descriptions descriptions)
    {
        json.WriteStartObject();
        json.WriteString("stream", stream.ToString());
        json.WriteNumber("keySize", map.Shape.KeySize);
        json.WriteNumber("valueSize", map.Shape.ValueSize);
        if (descriptions.StoredOf(map) is { } stored)
        {
            json.WriteString("saidBy", stored.By);
            json.WriteString("saidAt", Times.Of(stored.At));
        }
        json.WriteStartArray("fields");
        foreach (var field in Fields.Of(descriptions.Of(map)))
        {
            json.WriteStartObject();
            json.WriteString("field", field.Path);
            json.WriteNumber("at", field.At);
            json.WriteNumber("size", field.Type.Size);
            json.WriteString("kind", Kind(field.Type));
            json.WriteBoolean("guess", IsGuess(field.Type));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static bool IsGuess(FieldType type) => type.Guess || type.Of is { } of && IsGuess(of);

    private static string Kind(FieldType type) => type.Kind == FieldKind.Array ? $"{Kind(type.Of!)}[{type.Count}]" : FieldHint.WordOf(type.Kind);

    private static string Place(int at, int size) => size == 1 ? $"{at}" : $"{at}-{at + size - 1}";

    private sealed record Wanted(string? Btf, string? Key, string? Value, string[] Hints, bool Resets)
    {
        public bool IsSaid => Resets || Btf is not null || Hints.Length > 0;
    }
}
