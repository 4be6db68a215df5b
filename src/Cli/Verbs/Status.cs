using System.CommandLine;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Log;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog status [SOURCE]</c></summary>
internal static class Status
{
    private static readonly TimeSpan GapsWithin = TimeSpan.FromHours(1);

    public static Command Command(Terminal terminal)
    {
        var source = SourceArgument.Optional("Only this source.");
        var command = new ExampleCommand(
            "status", "How all stands, from anywhere: sources and who writes them, streams and what went unseen in the last hour, replicas and how far they are. Exit code 1 if a replica is gone, or behind its bound: fit for a check.",
            "maplog status", "maplog status lb-1 --json", "watch maplog status") { source };
        Call.Set(command, terminal, call => RunAsync(call, call.Arguments.GetValue(source)));
        return command;
    }

    private static async Task<int> RunAsync(Call call, string? source)
    {
        await using var log = call.OpenLog();
        var reader = new StatusReader(log);
        var status = new LogStatus(
            await reader.ReadTimeAsync(call.Cancellation),
            await reader.ReadSourcesAsync(source, call.Cancellation),
            await new LogReader(log).ListStreamsAsync(source, call.Cancellation),
            await reader.ReadGapsAsync(source, GapsWithin, call.Cancellation),
            await reader.ReadReplicasAsync(source, call.Cancellation));
        if (source is not null && status.Sources.Count == 0)
            throw new UsageException($"The log at {log.Place} has no source '{source}': 'maplog source list' lists those it has.");
        if (call.WantsJson)
            call.Terminal.Json(json => StatusFormat.Write(json, status));
        else
            Write(call.Terminal, status);
        foreach (var complaint in status.Sources.Select(StatusFormat.Complaint).Concat(status.Replicas.Select(StatusFormat.Complaint)).OfType<string>())
            call.Terminal.Complain(complaint);
        if (status.Sources.Count == 0)
            call.Terminal.Complain($"The log in {log.Place} has no source yet: 'maplog source add NAME' makes one.");
        return status.IsWell ? ExitCode.Ok : ExitCode.Failed;
    }

    private static void Write(Terminal terminal, LogStatus status)
    {
        var isFirst = true;
        foreach (var table in StatusFormat.Tables(status))
        {
            if (!isFirst && !terminal.IsForPeople)
                terminal.Out.WriteLine();
            isFirst = false;
            table.Write(terminal);
        }
    }
}
