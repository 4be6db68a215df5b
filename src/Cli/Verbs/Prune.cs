using System.CommandLine;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Cli.TimeTravel;
using Maplog.Log;
using Maplog.Snapshots;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog prune</c></summary>
internal static class Prune
{
    public static Command Command(Terminal terminal)
    {
        var stream = StreamArgument.Optional();
        var before = new Option<string>("--before") { Description = $"History from before this time goes: {Moment.Forms}.", HelpName = "TIME", Required = true };
        var dry = new Option<bool>("--dry-run") { Description = "Say what would go, and do nothing." };
        var command = new ExampleCommand(
            "prune", "Delete old history: first a snapshot and a prune record in the stream, both sealed, then the events, batch by batch. A stream then begins at the last seal before that time. Takes the role maplog_admin.",
            "maplog prune --before '90 days ago' --dry-run", "maplog prune lb-1/ct_map --before 2026-01-01") { stream, before, dry };
        Call.Set(command, terminal, call => RunAsync(
            call, call.Arguments.GetValue(stream), Moment.Parse(call.Arguments.GetRequiredValue(before), TimeProvider.System), call.Arguments.GetValue(dry)));
        return command;
    }

    private static async Task<int> RunAsync(Call call, string? name, DateTimeOffset before, bool isDry)
    {
        await using var log = call.OpenLog();
        IReadOnlyList<StreamSummary> streams = name is null ? await new LogReader(log).ListStreamsAsync(cancellation: call.Cancellation) : [await call.FindStreamAsync(log, name)];
        var pruner = new Pruner(log, TimeProvider.System, call.Terminal.Complain);
        var results = new List<Result>();
        foreach (var stream in streams)
            results.Add(await PruneAsync(call, pruner, stream, before, isDry));
        if (call.WantsJson)
        {
            call.Terminal.Json(json =>
            {
                json.WriteStartArray();
                foreach (var result in results)
                {
                    json.WriteStartObject();
                    json.WriteString("stream", result.Stream);
                    json.WriteNumber("events", result.Events);
                    if (result.Begins is { } begins)
                    {
                        json.WriteNumber("beginsAt", begins);
                        json.WriteString("at", Times.Of(result.At));
                    }
                    json.WriteBoolean("deleted", !isDry && result.Begins is not null);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            });
            return ExitCode.Ok;
        }
        foreach (var result in results)
        {
            call.Terminal.Out.WriteLine(result.Begins is { } begins
                ? $"{result.Stream}: {result.Events} events {(isDry ? "would go; it would begin" : "are gone; it begins")} at version {begins}, {Times.Of(result.At)}."
                : $"{result.Stream}: nothing to prune; no sealed history is from before {Times.Of(before)}.");
        }
        return ExitCode.Ok;
    }

    private static async Task<Result> PruneAsync(Call call, Pruner pruner, StreamSummary stream, DateTimeOffset before, bool isDry)
    {
        if (!isDry && await pruner.IsUnfinishedAsync(stream.Stream, call.Cancellation))
            await pruner.DeleteAsync(stream.Stream, cancellation: call.Cancellation);
        if (await pruner.PlanAsync(stream.Stream, before, call.Cancellation) is not { } plan)
            return new Result(stream.Stream.ToString(), 0, null, default);
        if (!isDry)
        {
            await pruner.RecordAsync(plan, before, call.Cancellation);
            using var progress = new Progress(call.Terminal, $"pruning {stream.Stream}", plan.Count);
            await pruner.DeleteAsync(stream.Stream, progress.Step, call.Cancellation);
        }
        return new Result(stream.Stream.ToString(), plan.Count, plan.Seal.Version.Value, plan.Seal.Time);
    }

    private sealed record Result(string Stream, long Events, long? Begins, DateTimeOffset At);
}
