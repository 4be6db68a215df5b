using System.CommandLine;
using Maplog.Cli.Describing;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Cli.TimeTravel;
using Maplog.Events;
using Maplog.Folding;
using Maplog.Log;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog replay STREAM</c></summary>
internal static class Replay
{
    public static Command Command(Terminal terminal)
    {
        var stream = StreamArgument.Make();
        var point = new PointInTime.Options();
        var into = new Option<string?>("--into") { Description = "Write the content into the map pinned here; a missing map is created with the right shape.", HelpName = "PIN" };
        into.CompletionSources.Add(HostCompletion.Pins);
        var dry = new Option<bool>("--dry-run") { Description = "With --into: only show the adds, updates and deletes." };
        var swap = new Option<bool>("--swap") { Description = "With --into: create a new map, and replace the pinned map by it in one step. Programs that have the old map open keep it." };
        var root = new Option<string?>("--pin-root") { Description = "With --into: the --pin-root of the captures of this node. A new map is registered there, so that no capture takes it for its source.", HelpName = "FOLDER" };
        var csv = new Option<bool>("--csv") { Description = "Print CSV, a column for each field." };
        var bpftool = new Option<bool>("--bpftool") { Description = "Print the map as 'bpftool -j map dump' would have printed it." };
        var hex = new Option<bool>("--hex") { Description = "Print bytes in hex, without the description." };
        var limit = NumberOption.Make("--limit", "N", "Print at most this many entries.", 0, int.MaxValue);
        var command = new ExampleCommand(
            "replay", "Print the map at a moment, or write it into a pinned map. Without --at, --version or --before: the present map.",
            "maplog replay lb-1/ct_map --at '10 minutes ago'", "maplog replay lb-1/ct_map --before gap_found --csv > before.csv",
            "maplog replay lb-1/ct_map --at 'yesterday 14:00' --into /sys/fs/bpf/ct_then --dry-run") { stream, point.At, point.Version, point.Before, into, dry, swap, root, csv, bpftool, hex, limit };
        Call.Set(command, terminal, call =>
        {
            var wanted = new Wanted(
                point.Read(call.Arguments, TimeProvider.System), call.Arguments.GetValue(into), call.Arguments.GetValue(root) ?? CommandSettings.Read(call.Arguments).PinRoot, call.Arguments.GetValue(dry),
                call.Arguments.GetValue(swap), call.Arguments.GetValue(csv), call.Arguments.GetValue(bpftool), call.Arguments.GetValue(hex), (int)(call.Arguments.GetValue(limit) ?? int.MaxValue));
            return RunAsync(call, call.Arguments.GetRequiredValue(stream), wanted);
        });
        return command;
    }

    private static async Task<int> RunAsync(Call call, string name, Wanted wanted)
    {
        if (wanted.Into is null && (wanted.IsDry || wanted.Swaps))
            throw new UsageException("--dry-run and --swap need a pin to write into: give it with --into.");
        if ((wanted.Csv ? 1 : 0) + (wanted.Bpftool ? 1 : 0) + (call.WantsJson ? 1 : 0) > 1)
            throw new UsageException("--json, --csv and --bpftool are different formats: give only one of them.");
        await using var log = call.OpenLog();
        var stream = (await call.FindStreamAsync(log, name)).Stream;
        var past = new Past(log, stream, call.Terminal, call.Cancellation);
        var version = (await past.FindAsync(wanted.Point)).Version;
        var descriptions = await Descriptions.ReadAsync(log, stream, call.Cancellation);
        if (wanted.Into is { } pin)
            await WriteAsync(call, past, version, new MapTarget(pin, wanted.Registry, call.Terminal, descriptions, call.Cancellation), wanted);
        else
            Print(call, await past.ReadAsync(version), wanted.Hex ? null : descriptions, wanted);
        return ExitCode.Ok;
    }

    private static async Task WriteAsync(Call call, Past past, StreamVersion version, MapTarget target, Wanted wanted)
    {
        target.RefuseWhatIsKept();
        if (!wanted.IsDry && target.IsNew(wanted.Swaps) && await past.FindNearAsync(version) is { } near)
        {
            try
            {
                await target.MakeAsync(past.Stream, version, near.Map, near.Work, near.FillAsync);
                return;
            }
            catch (SnapshotDamagedException e)
            {
                call.Terminal.Complain(e.Message);
            }
        }
        await target.WriteAsync(await past.ReadAsync(version), wanted.IsDry, wanted.Swaps);
    }

    private static void Print(Call call, StreamFold fold, Descriptions? descriptions, Wanted wanted)
    {
        var map = fold.Generation!;
        var entries = SortedEntries.Of(fold.Entries, map.Shape);
        var fields = new FieldFormat(map, descriptions);
        if (wanted.Bpftool)
            Dump.WriteJson(call.Terminal, entries, new EntryFormat(map, wanted.Hex), wanted.Limit);
        else if (call.WantsJson)
            Entries.WriteJson(call.Terminal, fold, entries, fields, wanted.Limit);
        else if (wanted.Csv)
            WriteCsv(call.Terminal.Out, entries, fields, wanted.Limit);
        else
            WriteTable(call.Terminal, fold, entries, fields, descriptions?.GuessesOf(fold.Stream, map), wanted.Limit);
    }

    private static void WriteCsv(TextWriter output, SortedEntries entries, FieldFormat fields, int limit)
    {
        output.WriteLine(Csv.Line(fields.Columns()));
        foreach (var (key, value) in entries.Take(limit))
            output.WriteLine(Csv.Line(fields.Cells(key, value)));
    }

    private static void WriteTable(Terminal terminal, StreamFold fold, SortedEntries entries, FieldFormat fields, string? guesses, int limit)
    {
        Entries.WriteHead(terminal, fold, entries.Count, guesses);
        var table = new TextTable("Key", "Value");
        foreach (var (key, value) in entries.Take(limit))
            table.Add(fields.Key(key), fields.Value(value));
        if (entries.Count > 0)
            table.Write(terminal);
        if (entries.Count > limit)
            terminal.Out.WriteLine($"# and {entries.Count - limit} more");
    }

    private sealed record Wanted(PointInTime Point, string? Into, string Registry, bool IsDry, bool Swaps, bool Csv, bool Bpftool, bool Hex, int Limit);
}
