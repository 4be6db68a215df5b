using System.CommandLine;
using Maplog.Cli.Output;
using Maplog.Log;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog migrate</c></summary>
internal static class Migrate
{
    public static Command Command(Terminal terminal)
    {
        var command = new ExampleCommand(
            "migrate", "Make or upgrade the log's schema in Postgres. Takes the rights of the schema's owner; run again, it does nothing.",
            "maplog migrate --log \"Host=localhost;Database=maplog;Username=postgres\"");
        Call.Set(command, terminal, RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(Call call)
    {
        await using var log = call.OpenLog();
        var applied = await new LogSchema(log).MigrateAsync(call.Cancellation);
        if (call.WantsJson)
        {
            call.Terminal.Json(json =>
            {
                json.WriteStartObject();
                json.WriteString("schema", log.Schema);
                json.WriteStartArray("applied");
                foreach (var name in applied)
                    json.WriteStringValue(name);
                json.WriteEndArray();
                json.WriteEndObject();
            });
            return ExitCode.Ok;
        }
        foreach (var name in applied)
            call.Terminal.Out.WriteLine($"applied {name}");
        call.Terminal.Out.WriteLine(applied.Count == 0
            ? $"The log in {log.Place}, schema '{log.Schema}', is current: nothing to apply."
            : $"The log in {log.Place}, schema '{log.Schema}', is current.");
        return ExitCode.Ok;
    }
}
