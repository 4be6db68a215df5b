using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Maplog.Btf;
using Maplog.Cli.Describing;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Events;
using Maplog.Folding;
using Maplog.Kernel;
using Maplog.Log;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog verify STREAM MAP</c></summary>
internal static class Verify
{
    private const int DefaultLimit = 20;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    public static Command Command(Terminal terminal)
    {
        var stream = StreamArgument.Make();
        var map = new Argument<string>("MAP") { Description = "A map of this kernel: the path of its pin, its id, or its name.", HelpName = "MAP" };
        map.CompletionSources.Add(HostCompletion.Pins);
        var wait = DurationOption.Make("--wait", TimeSpan.FromSeconds(1), "SECONDS", "Repeat until they are equal, for at most this time; also as 30s or 5m.", TimeSpan.Zero, TimeSpan.FromDays(1));
        var strict = new Option<bool>("--strict") { Description = "Require every entry of the log from an LRU map too (the captured map has them; a replica may have evicted some)." };
        var hidden = new Option<string[]>("--volatile") { Description = "Do not compare this field, as capture does not log its changes in place: value.packets, or value[48:16]. Repeatable.", HelpName = "FIELD" };
        var limit = NumberOption.Make("--limit", "N", $"Print at most this many differences [default: {DefaultLimit}].", 0, int.MaxValue);
        var hex = new Option<bool>("--hex") { Description = "Print bytes in hex, without the description." };
        var command = new ExampleCommand(
            "verify", "Compare a live map with its log, key by key: exit code 0 if they are equal, 1 if not. The map should be at rest.",
            "maplog verify lb-1/ct_map /sys/fs/bpf/ct_map", "maplog verify lb-1/ct_map ct_map --wait 10") { stream, map, wait, strict, hidden, limit, hex };
        Call.Set(command, terminal, call => RunAsync(call, call.Arguments.GetRequiredValue(stream), call.Arguments.GetRequiredValue(map), new Wanted(
            call.Arguments.GetValue(wait) ?? TimeSpan.Zero, call.Arguments.GetValue(strict), call.Arguments.GetValue(hidden) ?? [], (int)(call.Arguments.GetValue(limit) ?? DefaultLimit), call.Arguments.GetValue(hex))));
        return command;
    }

    private static async Task<int> RunAsync(Call call, string name, string mapName, Wanted wanted)
    {
        await using var log = call.OpenLog();
        var history = call.History(log);
        var stream = (await call.FindStreamAsync(log, name)).Stream;
        var fold = await history.ReadAsync(stream, cancellation: call.Cancellation);
        var descriptions = wanted.Hex ? null : await Descriptions.ReadAsync(log, stream, call.Cancellation);
        using var map = LiveMap.Open(mapName);
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            await history.ContinueAsync(fold, cancellation: call.Cancellation);
            var comparison = Compare(fold, map, wanted, call.Cancellation);
            if (comparison.IsEqual || Stopwatch.GetElapsedTime(began) >= wanted.Wait)
            {
                var format = new FieldFormat(fold.Generation!, descriptions);
                if (!call.WantsJson && !comparison.IsEqual && descriptions?.GuessesOf(stream, fold.Generation!) is { } guesses)
                    call.Terminal.Complain(guesses);
                if (call.WantsJson)
                    call.Terminal.Json(json => Write(json, fold, map, comparison, format));
                else
                    Write(call.Terminal.Out, fold, map, comparison, format);
                return comparison.IsEqual ? ExitCode.Ok : ExitCode.Failed;
            }
            await Task.Delay(Pause, call.Cancellation);
        }
    }

    private static MapComparison Compare(StreamFold fold, BpfMap map, Wanted wanted, CancellationToken cancellation)
    {
        var shape = fold.Shape ?? throw new LogException($"Stream {fold.Stream} has no map yet: it ends at version {fold.Version} without a map_opened event.");
        var info = map.Info;
        if ((int)info.Type != shape.Type || info.KeySize != shape.KeySize || info.ValueBytes != shape.ValueBytes)
        {
            throw new LogException(
                $"{map} cannot be compared with stream {fold.Stream}: it is {MapTypeNames.Of((int)info.Type)} with keys of {info.KeySize} and values of {info.ValueBytes} bytes, the log's is {MapTypeNames.Of(shape.Type)} with {shape.KeySize} and {shape.ValueBytes}. Name the right map.");
        }
        var live = LiveMap.Read(map, cancellation);
        if (VolatileOf(fold.Generation!, wanted.Volatile) is { } hidden)
            TakeFrom(fold.Entries, live, hidden);
        return MapComparison.Of(fold.Entries, live, info.Type.IsArray(), info.Type.IsLru() && !wanted.IsStrict, wanted.Limit);
    }

    private static VolatileBytes? VolatileOf(MapOpened opened, string[] fields)
    {
        if (fields.Length == 0)
            return null;
        var value = (opened.Fields ?? FieldTypes.Of(opened))?.Value;
        return new VolatileBytes([.. fields.Select(Find)], opened.Shape);

        (int, int) Find(string field) => VolatileRule.TryParse($"map:{field}") is { } rule
            ? rule.Find(opened.Shape, value) ?? throw new UsageException($"--volatile: the values of this map have no bytes '{field}': 'maplog describe' lists the fields.")
            : throw new UsageException($"--volatile: '{field}' does not name bytes of a value: write value.packets, or value[48:16] for 16 bytes at offset 48.");
    }

    // As if the log had them as the map has.
    private static void TakeFrom(MapFold logged, MapFold live, VolatileBytes hidden)
    {
        foreach (var entry in live)
        {
            if (logged.TryGet(entry.Key, out var value))
                hidden.Copy(value, entry.Value);
        }
    }

    private static void Write(TextWriter output, StreamFold fold, BpfMap map, MapComparison comparison, FieldFormat format)
    {
        if (comparison.IsEqual)
        {
            output.WriteLine($"equal: {fold.Stream} at version {fold.Version} and {map}, {Count.Of(comparison.Equal, "entry", "entries")}.{Note(comparison)}");
            return;
        }
        output.WriteLine($"different: {fold.Stream} at version {fold.Version} and {map}, {Count.Of(comparison.Equal, "entry", "entries")} equal, {comparison.DifferenceCount} not.{Note(comparison)}");
        foreach (var difference in comparison.Differences)
            output.WriteLine($"{Word(difference.Kind),-9} {format.Key(difference.Key)}  log {Value(difference.Logged)}  map {Value(difference.Live)}");
        if (comparison.DifferenceCount > comparison.Differences.Count)
            output.WriteLine($"and {comparison.DifferenceCount - comparison.Differences.Count} more");

        string Value(byte[]? value) => value is null ? "-" : format.Value(value);
    }

    private static string Note(MapComparison comparison) =>
        comparison.Evicted > 0 ? $"An LRU map evicts entries on its own: it does not have {Count.Of(comparison.Evicted, "entry", "entries")} of the log." : "";

    private static string Word(DifferenceKind kind) => kind switch
    {
        DifferenceKind.Missing => "missing",
        DifferenceKind.Extra => "extra",
        _ => "different",
    };

    private static void Write(Utf8JsonWriter json, StreamFold fold, BpfMap map, MapComparison comparison, FieldFormat format)
    {
        json.WriteStartObject();
        json.WriteString("stream", fold.Stream.ToString());
        json.WriteNumber("version", fold.Version.Value);
        json.WriteNumber("mapId", map.Info.Id);
        json.WriteBoolean("equal", comparison.IsEqual);
        json.WriteNumber("equalEntries", comparison.Equal);
        json.WriteNumber("evicted", comparison.Evicted);
        json.WriteNumber("differenceCount", comparison.DifferenceCount);
        json.WriteStartArray("differences");
        foreach (var difference in comparison.Differences)
        {
            json.WriteStartObject();
            json.WriteString("kind", Word(difference.Kind));
            json.WriteString("key", Hex.Of(difference.Key));
            if (difference.Logged is { } logged)
                json.WriteString("log", Hex.Of(logged));
            if (difference.Live is { } live)
                json.WriteString("map", Hex.Of(live));
            json.WriteStartObject("formatted");
            format.WriteKey(json, difference.Key);
            WriteValue("log", difference.Logged);
            WriteValue("map", difference.Live);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();

        void WriteValue(string side, byte[]? value)
        {
            if (value is null)
                return;
            json.WritePropertyName(side);
            format.WriteValue(json, value);
        }
    }

    private sealed record Wanted(TimeSpan Wait, bool IsStrict, string[] Volatile, int Limit, bool Hex);
}
