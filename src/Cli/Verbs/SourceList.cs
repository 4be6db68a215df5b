using System.CommandLine;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Log;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog source list</c></summary>
internal static class SourceList
{
    public static Command Command(Terminal terminal)
    {
        var command = new ExampleCommand("list", "List the sources of the log.", "maplog source list --json") { TableOptions.Csv };
        Call.Set(command, terminal, RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(Call call)
    {
        await using var log = call.OpenLog();
        var sources = await new LogSchema(log).ListSourcesAsync(call.Cancellation);
        if (call.WantsJson)
        {
            call.Terminal.Json(json =>
            {
                json.WriteStartArray();
                foreach (var source in sources)
                {
                    json.WriteStartObject();
                    json.WriteString("source", source);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            });
            return ExitCode.Ok;
        }
        if (call.WantsCsv)
            call.Terminal.Out.WriteLine(Csv.Line(["Source"]));
        foreach (var source in sources)
            call.Terminal.Out.WriteLine(source);
        if (sources.Count == 0)
            call.Terminal.Complain($"The log in {log.Place} has no source yet: add one with 'maplog source add NAME'.");
        return ExitCode.Ok;
    }
}
