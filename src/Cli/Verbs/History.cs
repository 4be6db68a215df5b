using System.CommandLine;
using Maplog.Btf;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Cli.TimeTravel;
using Maplog.Events;
using Maplog.Log;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog history STREAM</c></summary>
internal static class History
{
    public static Command Command(Terminal terminal)
    {
        var stream = StreamArgument.Make();
        var key = new Option<string?>("--key") { Description = "Of this key alone: hex, a number, or fields as saddr=10.0.0.1,dport=443; fields that are not named may be anything.", HelpName = "KEY" };
        var from = new Option<string?>("--from") { Description = "From this version or time on.", HelpName = "WHEN" };
        var to = new Option<string?>("--to") { Description = "Up to this version or time.", HelpName = "WHEN" };
        var last = NumberOption.Make("--last", "N", "The last N changes only.", 1, int.MaxValue);
        var hex = new Option<bool>("--hex") { Description = "Bytes in hex, though the map has BTF." };
        var command = new ExampleCommand(
            "history", "Who changed what, when, from what to what, and how long the old value had lived. With --json an object a line.",
            "maplog history lb-1/ct_map --key saddr=10.0.0.1,dport=443", "maplog history lb-1/ct_map --from '10 minutes ago' --last 20", "maplog history lb-1/ct_map --key 0a000001c0000201 --json") { stream, key, from, to, last, hex };
        Call.Set(command, terminal, call =>
        {
            var time = TimeProvider.System;
            var wanted = new Wanted(
                call.Arguments.GetValue(key), call.Arguments.GetValue(from) is { } f ? PointInTime.Parse(f, time) : null, call.Arguments.GetValue(to) is { } t ? PointInTime.Parse(t, time) : null,
                (int)(call.Arguments.GetValue(last) ?? int.MaxValue), call.Arguments.GetValue(hex));
            return RunAsync(call, call.Arguments.GetRequiredValue(stream), wanted);
        });
        return command;
    }

    private static async Task<int> RunAsync(Call call, string name, Wanted wanted)
    {
        await using var log = call.OpenLog();
        var found = await call.FindStreamAsync(log, name);
        var past = new Past(log, found.Stream, call.Terminal, call.Cancellation);
        var pattern = wanted.Key is { } key && found.Opened is { } opened ? Pattern(opened, key) : null;
        var upTo = wanted.To is { } to ? (await past.FindAsync(to)).Version : found.Head.Version;
        // From a time means from the first change at or after it; a time before the history means all of it.
        var from = wanted.From is { Version: { } version } ? version : wanted.From is null ? StreamVersion.None : await AfterAsync(log, found.Stream, wanted.From.At!.Value.AddTicks(-10), call.Cancellation);
        var tracker = new KeyTracker(found.Stream, wanted.Key is { } text ? map => Pattern(map, text) : null);
        if (await new LogReader(log).ReadFirstAsync(found.Stream, call.Cancellation) is { Version.Value: > 1 } first)
        {
            var beginning = await call.History(log).ReadAsync(found.Stream, first.Version, cancellation: call.Cancellation);
            if (beginning.Generation is not null)
                tracker.Begin(beginning);
        }
        var printer = new KeyChangePrinter(call.WantsJson, wanted.Hex);
        var kept = new Queue<KeyChange>();
        var reader = new AuditReader(log);
        if (pattern is { IsWhole: true })
        {
            foreach (var logged in await reader.ReadKeyAsync(found.Stream, pattern.Bytes, found.Opened!.Shape.Type, call.Cancellation))
                if (logged.Version <= upTo)
                    Take(logged);
        }
        else
        {
            using var progress = new Progress(call.Terminal, $"reading {found.Stream}", upTo.Value);
            await foreach (var page in new LogReader(log).ReadAsync(found.Stream, upTo: upTo, cancellation: call.Cancellation))
            {
                foreach (var logged in page)
                    Take(logged);
                progress.Step(page.Count);
            }
        }
        foreach (var change in kept)
            call.Terminal.Out.WriteLine(printer.Line(change));
        return ExitCode.Ok;

        void Take(in LoggedEvent logged)
        {
            if (tracker.Take(logged) is not { } change || change.Version < from)
                return;
            if (wanted.Last == int.MaxValue)
            {
                call.Terminal.Out.WriteLine(printer.Line(change));
                return;
            }
            kept.Enqueue(change);
            if (kept.Count > wanted.Last)
                kept.Dequeue();
        }
    }

    private static FieldPattern Pattern(MapOpened map, string key)
    {
        try
        {
            return FieldPattern.Parse(key, map.Shape.KeySize, new FieldFormat(map, hexOnly: false).KeyType);
        }
        catch (FormatException e)
        {
            throw new UsageException($"--key: {e.Message}");
        }
    }

    private static async Task<StreamVersion> AfterAsync(LogStore log, StreamName stream, DateTimeOffset before, CancellationToken cancellation) =>
        await new LogReader(log).FindAtAsync(stream, before, cancellation) is { } place ? place.Version.Next : StreamVersion.None;

    private sealed record Wanted(string? Key, PointInTime? From, PointInTime? To, int Last, bool Hex);
}
