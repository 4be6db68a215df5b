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
            Description = $"What a field means, where its type and name do not tell or tell it wrong: FIELD=KIND, as key.peer=ipv4 ({string.Join(", ", FieldHint.Kinds)}). Repeatable; kept as 'maplog describe --hint' keeps it.",
            HelpName = "HINT",
        };
        var print = new Option<bool>("--print") { Description = "Print the SQL, and do nothing." };
        var command = new ExampleCommand(
            "view", "Make a view of a map's changes with a column of its own type for each field of key and value, in the schema audit.",
            "maplog audit view lb-1/ct_map", "maplog audit view lb-1/ct_map --hint value.backend=ipv4 --print") { stream, hints, print };
        Call.Set(command, terminal, call => RunAsync(call, call.Arguments.GetRequiredValue(stream), call.Arguments.GetValue(hints) ?? [], call.Arguments.GetValue(print)));
        return command;
    }

    private static async Task<int> RunAsync(Call call, string name, string[] hints, bool printsOnly)
    {
        await using var log = call.OpenLog();
        var stream = (await call.FindStreamAsync(log, name)).Stream;
        var opened = await new LogReader(log).ReadLatestAsync<MapOpened>(stream, call.Cancellation) ?? throw new LogException($"Stream {stream} has no map yet: there is nothing to make a view of.");
        var fields = (await Descriptions.ReadAsync(log, stream, call.Cancellation)).Of(opened.Note);
        if (hints.Length > 0)
            fields = FieldHints.Apply(fields, Descriptions.OwnOf(opened.Note), opened.Note.Shape, hints);
        if (fields is null)
            throw new LogException($"Nothing says what the keys and values of {stream} are: audit.changes shows them in hex. Compile its program with -g, or say it with 'maplog describe {stream}', to have them by field.");
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
