using System.CommandLine;
using Maplog.Cli.Output;
using Maplog.Configuration;
using Maplog.Events;
using Maplog.Log;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog source add NAME</c></summary>
internal static class SourceAdd
{
    public static Command Command(Terminal terminal)
    {
        var name = new Argument<string>("NAME") { Description = "A node, or a pair of nodes, for example lb-1." };
        var command = new ExampleCommand(
            "add", "Add a source to the log: its partition and its sequence. An existing source stays as it is.", "maplog source add lb-1") { name };
        Call.Set(command, terminal, call => RunAsync(call, call.Arguments.GetRequiredValue(name)));
        return command;
    }

    private static async Task<int> RunAsync(Call call, string source)
    {
        if (!StreamName.IsSource(source))
            throw new UsageException($"'{Secrets.Hide(source)}' is not a source name: use 1 to {StreamName.MaxSourceLength} of a-z, 0-9, '-' and '_', beginning with a letter or digit.");
        await using var log = call.OpenLog();
        var schema = new LogSchema(log);
        var check = await schema.CheckAsync(call.Cancellation);
        if (check.State != SchemaState.Current)
            throw new LogException($"Adding source {source} failed. {check.Sentence}");
        var isNew = !await schema.HasSourceAsync(source, call.Cancellation);
        if (isNew)
            await schema.AddSourceAsync(source, call.Cancellation);
        if (call.WantsJson)
        {
            call.Terminal.Json(json =>
            {
                json.WriteStartObject();
                json.WriteString("source", source);
                json.WriteBoolean("added", isNew);
                json.WriteEndObject();
            });
        }
        else
        {
            call.Terminal.Out.WriteLine(isNew ? $"Source {source} was added to {log.Place}." : $"Source {source} is in {log.Place} already: nothing to do.");
        }
        return ExitCode.Ok;
    }
}
