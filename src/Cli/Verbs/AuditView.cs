using System.CommandLine;
using Maplog.Cli.Describing;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Cli.TimeTravel;
using Maplog.Events;
using Maplog.Log;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog audit view STREAM</c></summary>
internal static class AuditView
{
    public static Command Command(Terminal terminal)
    {
        var stream = StreamArgument.Make();
        var hints = new Option<string[]>("--hint")
        {
            Description = $"The kind of a field, if its type and name do not show it or are wrong: FIELD=KIND, as key.peer=ipv4 ({string.Join(", ", FieldHint.Kinds)}). Repeatable; stored as by 'maplog describe --hint'.",
            HelpName = "HINT",
        };
        var print = new Option<bool>("--print") { Description = "Only print the SQL." };
        var command = new ExampleCommand(
            "view", "Create a view of a map's changes in the schema audit, with a typed column for each field of key and value.",
            "maplog audit view lb-1/ct_map", "maplog audit view lb-1/ct_map --hint value.backend=ipv4 --print") { stream, hints, print };
        Call.Set(command, terminal, call => RunAsync(call, call.Arguments.GetRequiredValue(stream), call.Arguments.GetValue(hints) ?? [], call.Arguments.GetValue(print)));
        return command;
    }

    private static async Task<int> RunAsync(Call call, string name, string[] hints, bool printsOnly)
    {
        await using var log = call.OpenLog();
        var stream = (await call.FindStreamAsync(log, name)).Stream;
        var opened = await new LogReader(log).ReadLatestAsync<MapOpened>(stream, call.Cancellation) ?? throw new LogException($"Stream {stream} has no map yet, so no view can be created.");
        var fields = (await Descriptions.ReadAsync(log, stream, call.Cancellation)).Of(opened.Note);
        if (hints.Length > 0)
            fields = FieldHints.Apply(fields, Descriptions.OwnOf(opened.Note), opened.Note.Shape, hints);
        if (fields is null)
            throw new LogException($"The fields of the keys and values of {stream} are unknown: audit.changes shows them in hex. To see fields, compile the program with -g, or describe them with 'maplog describe {stream}'.");
        var view = new TypedView(log, stream, opened, fields);
        if (printsOnly)
        {
            call.Terminal.Out.WriteLine(view.Sql);
            return ExitCode.Ok;
        }
        if (opened.Note.Fields is null || hints.Length > 0)
            await new DescriptionStore(log).SaveAsync(stream, opened.Note, fields, cancellation: call.Cancellation);
        await view.MakeAsync(call.Cancellation);
        if (call.WantsJson)
        {
            call.Terminal.Json(json =>
            {
                json.WriteStartObject();
                json.WriteString("view", view.Name);
                json.WriteStartArray("columns");
                foreach (var column in view.Columns)
                    json.WriteStringValue(column);
                json.WriteEndArray();
                json.WriteEndObject();
            });
        }
        else
        {
            call.Terminal.Out.WriteLine($"View {view.Name} shows the changes of {stream}: {string.Join(", ", view.Columns)}.");
        }
        return ExitCode.Ok;
    }
}
