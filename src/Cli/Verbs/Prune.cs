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
        var before = new Option<string>("--before") { Description = $"Prune the history before this time: {Moment.Forms}.", HelpName = "TIME", Required = true };
        var dry = new Option<bool>("--dry-run") { Description = "Only say what would be deleted." };
        var command = new ExampleCommand(
            "prune", "Delete old history: first a snapshot and a prune record in the stream, both sealed, then the events, batch by batch. Afterwards a stream begins at the last seal before that time. Needs the role maplog_admin.",
            "maplog prune --before '90 days ago' --dry-run", "maplog prune lb-1/ct_map --before 2026-01-01") { stream, before, dry };
        Call.Set(command, terminal, call => RunAsync(call, call.Arguments.GetValue(stream), Past(call.Arguments.GetRequiredValue(before)), call.Arguments.GetValue(dry)));
        return command;
    }

    // A typing error in the year must not delete the whole history.
    private static DateTimeOffset Past(string text)
    {
        var (time, now) = (Moment.Parse(text, TimeProvider.System), TimeProvider.System.GetUtcNow());
        return time <= now ? time : throw new UsageException($"--before: {Times.Of(time)} is in the future: it is {Times.Of(now)}. Name a time that has passed.");
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
                    json.WriteBoolean("deleted", !isDry && (result.Begins is not null || result.Finished > 0));
                    json.WriteNumber("finished", result.Finished);
                    if (result.Why.Length > 0)
                        json.WriteString("why", result.Why);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            });
            return ExitCode.Ok;
        }
        foreach (var result in results)
        {
            if (result.Finished > 0)
                call.Terminal.Out.WriteLine($"{result.Stream}: an earlier prune was not finished; {(isDry ? $"{Count.Of(result.Finished, "more event")} of it would be deleted" : $"{Count.Of(result.Finished, "more event of it is", "more events of it are")} deleted")}.");
            call.Terminal.Out.WriteLine(result.Begins is { } begins
                ? $"{result.Stream}: {(isDry ? $"{Count.Of(result.Events, "event")} would be deleted; the stream would begin" : $"{Count.Of(result.Events, "event is", "events are")} deleted; the stream begins")} at version {begins}, {Times.Of(result.At)}."
                : $"{result.Stream}: nothing to prune: {result.Why}.");
        }
        return ExitCode.Ok;
    }

    private static async Task<Result> PruneAsync(Call call, Pruner pruner, StreamSummary stream, DateTimeOffset before, bool isDry)
    {
        var finished = await FinishAsync(call, pruner, stream, isDry);
        var look = await pruner.LookAsync(stream.Stream, before, call.Cancellation);
        if (look.Plan is not { } plan)
            return new Result(stream.Stream.ToString(), 0, null, default, finished, look.Why);
        if (isDry && plan.Count <= finished)
            return new Result(stream.Stream.ToString(), 0, null, default, finished, $"that earlier prune has all sealed history before {Times.Of(before)}");
        if (!isDry)
        {
            await pruner.RecordAsync(plan, before, call.Cancellation);
            using var progress = new Progress(call.Terminal, $"pruning {stream.Stream}", plan.Count);
            await pruner.DeleteAsync(stream.Stream, progress.Step, call.Cancellation);
        }
        // The rest of an unfinished prune is reported separately.
        return new Result(stream.Stream.ToString(), plan.Count - (isDry ? finished : 0), plan.Seal.Version.Value, plan.Seal.Time, finished, "");
    }

    /// <returns>How many events an interrupted earlier prune had left.</returns>
    private static async Task<long> FinishAsync(Call call, Pruner pruner, StreamSummary stream, bool isDry)
    {
        var left = await pruner.LeftAsync(stream.Stream, call.Cancellation);
        if (left > 0 && !isDry)
            await pruner.DeleteAsync(stream.Stream, cancellation: call.Cancellation);
        return left;
    }

    private sealed record Result(string Stream, long Events, long? Begins, DateTimeOffset At, long Finished, string Why);
}
