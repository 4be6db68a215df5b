using System.CommandLine;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Log;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog audit lag</c></summary>
internal static class AuditLag
{
    public static Command Command(Terminal terminal)
    {
        var command = new ExampleCommand("lag", "Show how far the index of keys is behind each stream. Queries scan events that are not indexed: they take longer, but stay complete.", "maplog audit lag") { TableOptions.Csv };
        Call.Set(command, terminal, RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(Call call)
    {
        await using var log = call.OpenLog();
        var lags = await new AuditReader(log).ReadLagAsync(call.Cancellation);
        if (call.WantsJson)
        {
            call.Terminal.Json(json =>
            {
                json.WriteStartArray();
                foreach (var lag in lags)
                {
                    json.WriteStartObject();
                    json.WriteString("stream", lag.Stream.ToString());
                    json.WriteNumber("head", lag.Head.Value);
                    json.WriteNumber("indexedTo", lag.IndexedTo.Value);
                    json.WriteNumber("behind", lag.Behind);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            });
            return ExitCode.Ok;
        }
        var table = new TextTable("Stream", "Head", "Indexed to", "Behind");
        foreach (var lag in lags)
            table.Add(lag.Stream.ToString(), $"{lag.Head}", $"{lag.IndexedTo}", $"{lag.Behind}");
        if (call.WantsCsv)
            table.WriteCsv(call.Terminal.Out);
        else if (lags.Count > 0)
            table.Write(call.Terminal);
        return ExitCode.Ok;
    }
}
