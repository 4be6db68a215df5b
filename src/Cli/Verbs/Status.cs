using System.CommandLine;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Configuration;
using Maplog.Log;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog status [SOURCE]</c></summary>
internal static class Status
{
    private const int DefaultEvery = 2;
    private static readonly TimeSpan GapsWithin = TimeSpan.FromHours(1);

    public static Command Command(Terminal terminal)
    {
        var source = SourceArgument.Optional("Only this source.");
        var watch = new Option<bool>("--watch") { Description = "Repeat until Ctrl-C. With --json one object per line." };
        var every = NumberOption.Make("--every", "SECONDS", $"With --watch: how often [default: {DefaultEvery}].", 1, 86_400);
        var command = new ExampleCommand(
            "status", "Show the state of everything, from anywhere: sources and their writers, streams and their gaps in the last hour, replicas and their lag. Exit code 1 if a source has no ready writer, or if a replica is gone or not within its bound.",
            "maplog status", "maplog status lb-1 --json", "maplog status --watch") { source, watch, every, TableOptions.Csv };
        Call.Set(command, terminal, call =>
        {
            var seconds = call.Arguments.GetValue(every);
            if (!call.Arguments.GetValue(watch))
                return seconds is null ? RunAsync(call, call.Arguments.GetValue(source)) : throw new UsageException("--every needs --watch: give --watch too.");
            return WatchAsync(call, call.Arguments.GetValue(source), TimeSpan.FromSeconds(seconds ?? DefaultEvery));
        });
        return command;
    }

    private static async Task<int> RunAsync(Call call, string? source)
    {
        await using var log = call.OpenLog();
        return Show(call, log, await ReadAsync(call, log, source), isWatch: false);
    }

    private static async Task<int> WatchAsync(Call call, string? source, TimeSpan every)
    {
        try
        {
            await using var log = call.OpenLog();
            for (var isFirst = true; ; isFirst = false)
            {
                try
                {
                    var status = await ReadAsync(call, log, source);
                    Separate(call, isFirst);
                    Show(call, log, status, isWatch: true);
                }
                catch (LogException e) when (e.IsTransient)
                {
                    Separate(call, isFirst);
                    call.Terminal.Flush();
                    call.Terminal.Complain($"{e.Message} Trying again until it answers.");
                }
                await Task.Delay(every, call.Cancellation);
            }
        }
        catch (OperationCanceledException) when (call.Cancellation.IsCancellationRequested)
        {
            return ExitCode.Ok; // Ctrl-C is how a watch ends.
        }
    }

    private static void Separate(Call call, bool isFirst)
    {
        if (call.Terminal.IsForPeople)
            call.Terminal.Clear();
        else if (!isFirst && !call.WantsJson)
            call.Terminal.Out.WriteLine();
    }

    private static async Task<LogStatus> ReadAsync(Call call, LogStore log, string? source)
    {
        var reader = new StatusReader(log);
        var status = new LogStatus(
            await reader.ReadTimeAsync(call.Cancellation),
            await reader.ReadSourcesAsync(source, call.Cancellation),
            await new LogReader(log).ListStreamsAsync(source, call.Cancellation),
            await reader.ReadGapsAsync(source, GapsWithin, call.Cancellation),
            await reader.ReadReplicasAsync(source, call.Cancellation));
        return source is null || status.Sources.Count > 0
            ? status
            : throw new UsageException($"The log at {log.Place} has no source '{Secrets.Hide(source)}': 'maplog source list' lists its sources.");
    }

    // A watch in JSON has a line for each look.
    private static int Show(Call call, LogStore log, LogStatus status, bool isWatch)
    {
        if (call.WantsJson)
            WriteJson(call, status, isWatch);
        else
            Write(call, status);
        call.Terminal.Flush();
        foreach (var complaint in status.Sources.Select(StatusFormat.Complaint).Concat(status.Replicas.Select(StatusFormat.Complaint)).OfType<string>())
            call.Terminal.Complain(complaint);
        if (status.Sources.Count == 0)
            call.Terminal.Complain($"The log in {log.Place} has no source yet: add one with 'maplog source add NAME'.");
        return status.IsWell ? ExitCode.Ok : ExitCode.Failed;
    }

    private static void WriteJson(Call call, LogStatus status, bool isWatch)
    {
        using (var json = call.Terminal.Json(indented: !isWatch))
            StatusFormat.Write(json, status);
        call.Terminal.EndLine();
    }

    private static void Write(Call call, LogStatus status)
    {
        var isFirst = true;
        foreach (var table in StatusFormat.Tables(status))
        {
            if (!isFirst && !call.Terminal.IsForPeople)
                call.Terminal.Out.WriteLine();
            isFirst = false;
            if (call.WantsCsv)
                table.WriteCsv(call.Terminal.Out);
            else
                table.Write(call.Terminal);
        }
    }
}
