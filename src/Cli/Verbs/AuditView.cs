using System.CommandLine;
using Maplog.Btf;
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
            Description = $"What a field means, where its type and name do not tell or tell it wrong: FIELD=KIND, as key.peer=ipv4 ({string.Join(", ", FieldHints.Kinds)}). Repeatable; kept for all who read this stream in SQL.",
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
        var given = FieldHints.Parse(hints);
        var opened = await new LogReader(log).ReadLatestAsync<MapOpened>(stream, call.Cancellation) ?? throw new LogException($"Stream {stream} has no map yet: there is nothing to make a view of.");
        var fields = given.Count == 0 && opened.Note.Fields is { } known ? known : FieldTypes.Of(opened.Note, given)
            ?? throw new LogException($"The map of {stream} has no BTF that describes its keys and values: audit.changes shows them in hex. Compile its program with -g to have them by field.");
        var view = new TypedView(log, stream, opened, fields);
        if (printsOnly)
        {
            call.Terminal.Out.WriteLine(view.Sql);
            return ExitCode.Ok;
        }
        await view.MakeAsync(describe: opened.Note.Fields is null || given.Count > 0, call.Cancellation);
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
