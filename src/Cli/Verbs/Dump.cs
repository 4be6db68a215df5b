using System.CommandLine;
using Maplog.Cli.Describing;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Log;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog dump STREAM</c></summary>
internal static class Dump
{
    public static Command Command(Terminal terminal)
    {
        var stream = StreamArgument.Make();
        var limit = NumberOption.Make("--limit", "N", "Print at most this many entries.", 0, int.MaxValue);
        var hex = new Option<bool>("--hex") { Description = "Print bytes in hex, without the description." };
        var command = new ExampleCommand(
            "dump", "Print a map's present content from its log, in the order of its keys, by field. With --json in the format of 'bpftool -j map dump'.",
            "maplog dump lb-1/ct_map", "maplog dump lb-1/ct_map --limit 10", "maplog dump lb-1/ct_map --json | jq length") { stream, limit, hex };
        Call.Set(command, terminal, call => RunAsync(
            call, call.Arguments.GetRequiredValue(stream), (int)(call.Arguments.GetValue(limit) ?? int.MaxValue), call.Arguments.GetValue(hex)));
        return command;
    }

    private static async Task<int> RunAsync(Call call, string name, int limit, bool hexOnly)
    {
        await using var log = call.OpenLog();
        var stream = (await call.FindStreamAsync(log, name)).Stream;
        var fold = await call.History(log).ReadAsync(stream, cancellation: call.Cancellation);
        if (fold.Generation is not { } map)
            throw new LogException($"Stream {stream} has no map yet: it ends at version {fold.Version} without a map_opened event.");
        var entries = SortedEntries.Of(fold.Entries, map.Shape);
        var bpftool = new EntryFormat(map, hexOnly);
        if (bpftool.Lack is { } lack)
            call.Terminal.Complain(lack);
        if (call.WantsJson)
        {
            WriteJson(call.Terminal, entries, bpftool, limit);
            return ExitCode.Ok;
        }
        var descriptions = hexOnly ? null : await Descriptions.ReadAsync(log, stream, call.Cancellation);
        Entries.WriteHead(call.Terminal, fold, entries.Count, descriptions?.GuessesOf(stream, map));
        var format = new FieldFormat(map, descriptions);
        foreach (var (key, value) in entries.Take(limit))
            call.Terminal.Out.WriteLine($"{format.Key(key)} -> {format.Value(value)}");
        if (entries.Count > limit)
            call.Terminal.Out.WriteLine($"# and {entries.Count - limit} more");
        return ExitCode.Ok;
    }

    public static void WriteJson(Terminal terminal, SortedEntries entries, EntryFormat format, int limit)
    {
        using (var json = terminal.Json())
        {
            json.WriteStartArray();
            foreach (var (key, value) in entries.Take(limit))
            {
                json.WriteStartObject();
                format.Write(json, key, value);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        terminal.EndLine();
    }
}
