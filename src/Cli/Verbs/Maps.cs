using System.CommandLine;
using System.Text.Json;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Configuration;
using Maplog.Events;
using Maplog.Log;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog maps</c></summary>
internal static class Maps
{
    public static Command Command(Terminal terminal)
    {
        var source = SourceArgument.Optional("Only the maps of this source.");
        var entries = new Option<bool>("--entries") { Description = "Count the entries of each map now; reads its whole stream." };
        var command = new ExampleCommand(
            "maps", "List the logged maps: stream, kind, sizes, and the state of the log.", "maplog maps", "maplog maps lb-1 --entries", "maplog maps --json") { source, entries, TableOptions.Csv };
        command.Aliases.Add("streams");
        Call.Set(command, terminal, call => RunAsync(call, call.Arguments.GetValue(source), call.Arguments.GetValue(entries)));
        return command;
    }

    private static async Task<int> RunAsync(Call call, string? source, bool countEntries)
    {
        await using var log = call.OpenLog();
        var reader = new LogReader(log);
        var streams = await reader.ListStreamsAsync(source, call.Cancellation);
        if (source is not null && streams.Count == 0)
            await RequireSourceAsync(call, log, source);
        var counts = new Dictionary<StreamName, int>();
        if (countEntries)
            foreach (var stream in streams)
                counts[stream.Stream] = (await call.History(log).ReadAsync(stream.Stream, cancellation: call.Cancellation)).Entries.Count;
        if (call.WantsJson)
            call.Terminal.Json(json => Write(json, streams, counts));
        else
            Write(call, streams, counts);
        if (streams.Count == 0)
            call.Terminal.Complain($"The log in {log.Place} has no stream{(source is null ? "" : $" of source {source}")} yet: start maplog-capture.");
        return ExitCode.Ok;
    }

    private static async Task RequireSourceAsync(Call call, LogStore log, string source)
    {
        var sources = await new LogSchema(log).ListSourcesAsync(call.Cancellation);
        if (sources.Contains(source))
            return;
        var near = Near.Names(source, sources);
        throw new UsageException($"The log at {log.Place} has no source '{Secrets.Hide(source)}'{(near.Count > 0 ? $". Did you mean {string.Join(" or ", near)}?" : ": 'maplog source list' lists its sources.")}");
    }

    private static void Write(Call call, IReadOnlyList<StreamSummary> streams, Dictionary<StreamName, int> counts)
    {
        List<string> headings = ["Stream", "Type", "Key", "Value", "Max", "Head", "At", "Epoch", "Generation", "Probe", "Node"];
        const int entriesAt = 5;
        if (counts.Count > 0)
            headings.Insert(entriesAt, "Entries");
        var table = new TextTable(headings);
        foreach (var (head, opened) in streams)
        {
            var shape = opened?.Shape;
            List<string> cells =
            [
                head.Stream.ToString(), shape is null ? "-" : $"{MapTypeNames.Of(shape.Type)}{(opened!.Frozen ? ", frozen" : "")}", Bytes(shape?.KeySize), Bytes(shape?.ValueSize), $"{shape?.MaxEntries}",
                $"{head.Version}", head.Version == StreamVersion.None ? "-" : Times.Of(head.Time), $"{head.Epoch}", Generation(opened), opened?.Probe ?? "-", opened?.Node ?? "-",
            ];
            if (counts.Count > 0)
                cells.Insert(entriesAt, $"{counts[head.Stream]}");
            table.Add(cells);
        }
        if (call.WantsCsv)
            table.WriteCsv(call.Terminal.Out);
        else if (streams.Count > 0)
            table.Write(call.Terminal);
    }

    // The map's id, and enough digits of the boot id to distinguish two boots.
    private static string Generation(MapOpened? opened) => opened is null ? "-" : $"{opened.MapId}@{opened.BootId[..Math.Min(8, opened.BootId.Length)]}";

    private static string Bytes(int? size) => size is { } bytes ? $"{bytes} B" : "-";

    private static void Write(Utf8JsonWriter json, IReadOnlyList<StreamSummary> streams, Dictionary<StreamName, int> counts)
    {
        json.WriteStartArray();
        foreach (var (head, opened) in streams)
        {
            json.WriteStartObject();
            json.WriteString("stream", head.Stream.ToString());
            json.WriteString("source", head.Stream.Source);
            json.WriteString("map", head.Stream.Map);
            json.WriteNumber("head", head.Version.Value);
            if (head.Version != StreamVersion.None)
                json.WriteString("at", Times.Of(head.Time));
            json.WriteNumber("epoch", head.Epoch.Value);
            if (counts.TryGetValue(head.Stream, out var count))
                json.WriteNumber("entries", count);
            if (opened is not null)
                Write(json, opened);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, MapOpened opened)
    {
        json.WriteString("name", opened.Name);
        json.WriteString("type", MapTypeNames.Of(opened.Shape.Type));
        json.WriteNumber("keySize", opened.Shape.KeySize);
        json.WriteNumber("valueSize", opened.Shape.ValueSize);
        json.WriteNumber("maxEntries", opened.Shape.MaxEntries);
        json.WriteNumber("flags", opened.Shape.Flags);
        json.WriteNumber("possibleCpus", opened.Shape.PossibleCpus);
        json.WriteBoolean("frozen", opened.Frozen);
        json.WriteBoolean("hasBtf", opened.Btf is { Length: > 0 });
        json.WriteNumber("mapId", opened.MapId);
        json.WriteString("bootId", opened.BootId);
        json.WriteString("node", opened.Node);
        json.WriteString("probe", opened.Probe);
        json.WriteStartArray("unseen");
        foreach (var sentence in opened.Unseen)
            json.WriteStringValue(sentence);
        json.WriteEndArray();
    }
}
