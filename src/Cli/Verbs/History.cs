using System.CommandLine;
using Maplog.Cli.Describing;
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
        var from = new Option<string?>("--from") { Description = "From this version or time on.", HelpName = "WHEN" };
        var to = new Option<string?>("--to") { Description = "Up to this version or time.", HelpName = "WHEN" };
        var last = NumberOption.Make("--last", "N", "Only the last N changes.", 1, int.MaxValue);
        var hex = new Option<bool>("--hex") { Description = "Print bytes in hex, without the description." };
        var filter = new EventFilter.Options([.. Enum.GetValues<EventKind>().Where(k => k.IsChange())]);
        var command = new ExampleCommand(
            "history", "Print each change with its time, its process, the old and the new value, and the lifetime of the old value. With --json one object per line. Exit code 1 if no change matches.",
            "maplog history lb-1/ct_map --key saddr=10.0.0.1,dport=443", "maplog history lb-1/ct_map --from '10 minutes ago' --last 20",
            "maplog history lb-1/ct_map --kind deleted --process envoy", "maplog history lb-1/ct_map --key 0a000001c0000201 --json")
        {
            stream, filter.Key, from, to, last, filter.Kind, filter.Process, filter.Origin, hex,
        };
        Call.Set(command, terminal, call =>
        {
            var time = TimeProvider.System;
            var wanted = new Wanted(
                call.Arguments.GetValue(from) is { } f ? PointInTime.Parse(f, time) : null, call.Arguments.GetValue(to) is { } t ? PointInTime.Parse(t, time) : null,
                (int)(call.Arguments.GetValue(last) ?? int.MaxValue), call.Arguments.GetValue(hex));
            wanted.RequireOrder();
            return RunAsync(call, call.Arguments.GetRequiredValue(stream), filter, wanted);
        });
        return command;
    }

    private static async Task<int> RunAsync(Call call, string name, EventFilter.Options options, Wanted wanted)
    {
        await using var log = call.OpenLog();
        var found = await call.FindStreamAsync(log, name);
        var descriptions = await Descriptions.ReadAsync(log, found.Stream, call.Cancellation);
        var filter = options.Read(call.Arguments, found.Opened, descriptions);
        var past = new Past(log, found.Stream, call.Terminal, call.Cancellation);
        var upTo = wanted.To is { } to ? (await past.FindAsync(to)).Version : found.Head.Version;
        // A time means the first change at or after it; a time before the history means the whole history.
        var from = wanted.From is { } begin ? await past.FindFromAsync(begin) : StreamVersion.None;
        if (from > upTo.Next)
            throw new UsageException($"--from names version {from}, which comes after version {upTo} of --to: exchange them.");
        var tracker = new KeyTracker(found.Stream, filter.HasKey ? filter.PatternOf : null);
        if (await new LogReader(log).ReadFirstAsync(found.Stream, call.Cancellation) is { Version.Value: > 1 } first)
        {
            var beginning = await call.History(log).ReadAsync(found.Stream, first.Version, cancellation: call.Cancellation);
            if (beginning.Generation is not null)
                tracker.Begin(beginning);
        }
        if (!wanted.Hex && !call.WantsJson && found.Opened is { } map && descriptions.GuessesOf(found.Stream, map) is { } guesses)
            call.Terminal.Complain(guesses);
        var changes = new Changes(call.Terminal, new KeyChangePrinter(call.WantsJson, wanted.Hex ? null : descriptions), wanted.Last);
        if (found.Opened is { } opened && filter.PatternOf(opened) is { IsWhole: true } pattern)
        {
            foreach (var logged in await new AuditReader(log).ReadKeyAsync(found.Stream, pattern.Bytes, opened.Shape.Type, call.Cancellation))
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
        if (changes.Finish() > 0)
            return ExitCode.Ok;
        var where = from > upTo ? $"after version {upTo}" : $"from version {Math.Max(1, from.Value)} to {upTo}";
        call.Terminal.Complain($"{found.Stream} has no change{(filter.Words is { Length: > 0 } words ? $" of {words}" : "")} {where}.");
        return ExitCode.Failed;

        void Take(in LoggedEvent logged)
        {
            if (tracker.Take(logged) is { } change && change.Version >= from && filter.Wants(change))
                changes.Take(change);
        }
    }

    /// <summary>Prints changes as they arrive, or keeps the last ones.</summary>
    private sealed class Changes(Terminal terminal, KeyChangePrinter printer, int last)
    {
        private readonly Queue<KeyChange> _kept = new();
        private long _count;

        public void Take(KeyChange change)
        {
            _count++;
            if (last == int.MaxValue)
            {
                terminal.Out.WriteLine(printer.Line(change));
                return;
            }
            _kept.Enqueue(change);
            if (_kept.Count > last)
                _kept.Dequeue();
        }

        /// <returns>How many changes there were.</returns>
        public long Finish()
        {
            foreach (var change in _kept)
                terminal.Out.WriteLine(printer.Line(change));
            return _count;
        }
    }

    private sealed record Wanted(PointInTime? From, PointInTime? To, int Last, bool Hex)
    {
        public void RequireOrder()
        {
            if (From?.At is { } from && To?.At is { } to && from > to)
                throw new UsageException($"--from is {Times.Of(from)}, after --to, {Times.Of(to)}: exchange them.");
            if (From?.Version is { } first && To?.Version is { } last && first > last)
                throw new UsageException($"--from is version {first}, after --to, version {last}: exchange them.");
        }
    }
}
