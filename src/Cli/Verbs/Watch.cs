using System.CommandLine;
using Maplog.Cli.Describing;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Cli.TimeTravel;
using Maplog.Events;
using Maplog.Folding;
using Maplog.Log;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog watch STREAM</c></summary>
internal static class Watch
{
    /// <summary>How often the log is asked for more.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>The interval of retries while the log cannot be reached.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public static Command Command(Terminal terminal)
    {
        var stream = StreamArgument.Make();
        var from = NumberOption.Make("--from", "VERSION", "Begin with this version. Default: begin with the next event.", 0);
        var count = NumberOption.Make("--count", "N", "End after N events.", 1);
        var hex = new Option<bool>("--hex") { Description = "Print bytes in hex, without the description." };
        var filter = new EventFilter.Options([.. Enum.GetValues<EventKind>().Where(k => k != EventKind.None)]);
        var command = new ExampleCommand(
            "watch", "Print a map's changes as they are logged, until Ctrl-C. Needs only the log. With --json one object per line.",
            "maplog watch lb-1/ct_map", "maplog watch lb-1/ct_map --from 1", "maplog watch lb-1/ct_map --kind deleted,evicted --process envoy", "maplog watch lb-1/ct_map --json | jq -r .key") 
        {
            stream, from, count, hex, filter.Key, filter.Kind, filter.Process, filter.Origin,
        };
        Call.Set(command, terminal, call => RunAsync(
            call, call.Arguments.GetRequiredValue(stream), call.Arguments.GetValue(from), call.Arguments.GetValue(count) ?? long.MaxValue, call.Arguments.GetValue(hex), filter));
        return command;
    }

    private static async Task<int> RunAsync(Call call, string name, long? from, long count, bool hexOnly, EventFilter.Options options)
    {
        try
        {
            await using var log = call.OpenLog();
            var found = await call.FindStreamAsync(log, name);
            var after = from is { } first ? new StreamVersion(Math.Max(0, first - 1)) : found.Head.Version;
            var descriptions = await Descriptions.ReadAsync(log, found.Stream, call.Cancellation);
            var filter = options.Read(call.Arguments, found.Opened, descriptions);
            if (!hexOnly && !call.WantsJson && found.Opened is { } map && descriptions.GuessesOf(found.Stream, map) is { } guesses)
                call.Terminal.Complain(guesses);
            using var printer = new EventPrinter(call.Terminal, found.Opened, call.WantsJson, hexOnly ? null : descriptions);
            var past = await PastAsync(call, log, found.Stream, after < found.Head.Version ? after : found.Head.Version);
            await FollowAsync(call, new LogReader(log), new Place(found.Stream, after, count), past, filter, printer);
            return ExitCode.Ok;
        }
        catch (OperationCanceledException) when (call.Cancellation.IsCancellationRequested)
        {
            return ExitCode.Ok; // Ctrl-C is how a watch ends.
        }
    }

    // What a per-CPU map held there; of pruned history, where it begins. Null: the map was none.
    private static async Task<StreamFold?> PastAsync(Call call, LogStore log, StreamName stream, StreamVersion at)
    {
        if (await new LogReader(log).ReadFirstAsync(stream, call.Cancellation) is { Version.Value: > 1 } first && at < first.Version)
            at = first.Version;
        var opened = await new LogReader(log).ReadLatestAsync<MapOpened>(stream, at, call.Cancellation);
        return WholeChanges.IsPerCpu(opened?.Note) ? await call.History(log).ReadAsync(stream, at, cancellation: call.Cancellation) : null;
    }

    private static async Task FollowAsync(Call call, LogReader reader, Place place, StreamFold? past, EventFilter filter, EventPrinter printer)
    {
        var whole = new WholeChanges(place.Stream, past);
        var (stream, count) = (place.Stream, place.Count);
        var after = past is not null && past.Version < place.After ? past.Version : place.After;
        for (var away = false; ;)
        {
            try
            {
                await foreach (var page in reader.ReadAsync(stream, after, cancellation: call.Cancellation))
                {
                    foreach (var logged in page)
                    {
                        after = logged.Version;
                        if (logged.Kind == EventKind.MapOpened)
                        {
                            var map = (MapOpened)NoteCodec.Read(logged.Kind, logged.Data.Span);
                            filter.Open(map);
                            printer.Open(map);
                        }
                        var shown = whole.Take(logged);
                        if (logged.Version <= place.After || !filter.Wants(logged.Kind, logged.Data.Span))
                            continue;
                        printer.Print(shown);
                        if (--count == 0)
                            break;
                    }
                    call.Terminal.Flush();
                    if (count == 0)
                        return;
                }
                if (away)
                    call.Terminal.Complain($"The log answers again; continuing after version {after}.");
                away = false;
            }
            catch (LogException e) when (e.IsTransient)
            {
                if (!away)
                    call.Terminal.Complain($"{e.Message} Trying again until it answers.");
                away = true;
            }
            await Task.Delay(away ? Patience : Pause, call.Cancellation);
        }
    }

    /// <summary>Where a watch begins and ends.</summary>
    /// <param name="Stream">Which stream.</param>
    /// <param name="After">It prints what comes after this version.</param>
    /// <param name="Count">So many events at most.</param>
    private sealed record Place(StreamName Stream, StreamVersion After, long Count);
}
