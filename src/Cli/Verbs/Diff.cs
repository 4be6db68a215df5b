using System.CommandLine;
using System.Text.Json;
using Maplog.Cli.Describing;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Cli.TimeTravel;
using Maplog.Events;
using Maplog.Folding;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Replicas;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog diff STREAM [OTHER]</c></summary>
internal static class Diff
{
    private const int DefaultLimit = 100;

    public static Command Command(Terminal terminal)
    {
        var stream = StreamArgument.Make();
        var other = new Argument<string?>("OTHER") { Description = "Another stream, or the path of a pinned map. Default: the same stream.", HelpName = "OTHER", Arity = ArgumentArity.ZeroOrOne };
        other.CompletionSources.Add(LogCompletion.Streams);
        other.CompletionSources.Add(HostCompletion.Pins);
        var from = new Option<string?>("--from") { Description = "STREAM at this version or time. Default: now.", HelpName = "WHEN" };
        var to = new Option<string?>("--to") { Description = "OTHER at this version or time. Default: now.", HelpName = "WHEN" };
        var limit = NumberOption.Make("--limit", "N", $"Print at most this many differences [default: {DefaultLimit}].", 0, int.MaxValue);
        var hex = new Option<bool>("--hex") { Description = "Print bytes in hex, without the description." };
        var command = new ExampleCommand(
            "diff", "Print the differences between a map at two moments, between two maps, or between a map's past and a live map. Exit code 0 if nothing differs, 1 if something does.",
            "maplog diff lb-1/ct_map --from 'yesterday 14:00' --to now", "maplog diff lb-1/ct_map lb-2/ct_map", "maplog diff lb-1/ct_map /sys/fs/bpf/ct_map --from 4711") { stream, other, from, to, limit, hex };
        Call.Set(command, terminal, call => RunAsync(
            call, call.Arguments.GetRequiredValue(stream), call.Arguments.GetValue(other), Point(call.Arguments.GetValue(from)), Point(call.Arguments.GetValue(to)),
            (int)(call.Arguments.GetValue(limit) ?? DefaultLimit), call.Arguments.GetValue(hex)));
        return command;
    }

    private static PointInTime? Point(string? text) => text is null ? null : PointInTime.Parse(text, TimeProvider.System);

    private static async Task<int> RunAsync(Call call, string name, string? otherName, PointInTime? from, PointInTime? to, int limit, bool hexOnly)
    {
        if (otherName is null && from is null && to is null)
            throw new UsageException("diff compares two moments or maps: give --from or --to, or another stream or pin.");
        await using var log = call.OpenLog();
        var old = await ReadAsync(call, log, name, from);
        if (otherName is not null && otherName.StartsWith('/') || otherName is ['.', ..])
        {
            if (to is not null)
                throw new UsageException($"--to is a moment of a stream, but {otherName} is a live map, which has no past.");
            using var map = BpfMap.OpenPinned(otherName, MapAccess.Read);
            Require(old, ReplicaShape.Of(map.Info), otherName);
            var live = MapComparison.Of(old.Entries, LiveMap.Read(map, call.Cancellation), map.Info.Type.IsArray(), keep: limit);
            return Print(call, Compared.Of(old), Compared.Of(map, otherName!), await FormatAsync(call, log, old, hexOnly), live);
        }
        var other = await ReadAsync(call, log, otherName ?? name, to);
        Require(old, other.Shape!, Compared.Of(other).Text);
        return Print(call, Compared.Of(old), Compared.Of(other), await FormatAsync(call, log, old, hexOnly), MapComparison.Of(old.Entries, other.Entries, keep: limit));
    }

    private static async Task<StreamFold> ReadAsync(Call call, LogStore log, string name, PointInTime? point)
    {
        var stream = (await call.FindStreamAsync(log, name)).Stream;
        var past = new Past(log, stream, call.Terminal, call.Cancellation);
        return await past.ReadAsync((await past.FindAsync(point ?? new PointInTime())).Version);
    }

    private static async Task<FieldFormat> FormatAsync(Call call, LogStore log, StreamFold fold, bool hexOnly)
    {
        var descriptions = hexOnly ? null : await Descriptions.ReadAsync(log, fold.Stream, call.Cancellation);
        if (!call.WantsJson && descriptions?.GuessesOf(fold.Stream, fold.Generation!) is { } guesses)
            call.Terminal.Complain(guesses);
        return new FieldFormat(fold.Generation!, descriptions);
    }

    private static void Require(StreamFold old, MapShape shape, string other)
    {
        var own = old.Shape!;
        if (own.KeySize != shape.KeySize || own.ValueBytes != shape.ValueBytes)
            throw new LogException($"{Compared.Of(old).Text} and {other} cannot be compared: one has keys of {own.KeySize} and values of {own.ValueBytes} bytes, the other of {shape.KeySize} and {shape.ValueBytes}.");
    }

    private static int Print(Call call, Compared old, Compared other, FieldFormat format, MapComparison comparison)
    {
        var differences = comparison.Differences;
        if (call.WantsJson)
        {
            call.Terminal.Json(json => Write(json, old, other, comparison, differences, format));
        }
        else
        {
            var output = call.Terminal.Out;
            output.WriteLine($"--- {old.Text}\n+++ {other.Text}");
            foreach (var difference in differences)
            {
                output.WriteLine(difference.Kind switch
                {
                    DifferenceKind.Missing => $"- {format.Key(difference.Key)} -> {format.Value(difference.Logged)}",
                    DifferenceKind.Extra => $"+ {format.Key(difference.Key)} -> {format.Value(difference.Live)}",
                    _ => $"! {format.Key(difference.Key)} -> {format.Value(difference.Logged)} => {format.Value(difference.Live)}",
                });
            }
            if (comparison.DifferenceCount > differences.Count)
                output.WriteLine($"and {comparison.DifferenceCount - differences.Count} more");
            output.WriteLine($"{comparison.DifferenceCount} different, {comparison.Equal} equal");
        }
        return comparison.IsEqual ? ExitCode.Ok : ExitCode.Failed;
    }

    private static void Write(Utf8JsonWriter json, Compared old, Compared other, MapComparison comparison, IReadOnlyList<MapDifference> differences, FieldFormat format)
    {
        json.WriteStartObject();
        json.WriteStartObject("from");
        old.Write(json);
        json.WriteEndObject();
        json.WriteStartObject("to");
        other.Write(json);
        json.WriteEndObject();
        json.WriteBoolean("equal", comparison.IsEqual);
        json.WriteNumber("equalEntries", comparison.Equal);
        json.WriteNumber("differenceCount", comparison.DifferenceCount);
        json.WriteStartArray("differences");
        foreach (var difference in differences)
        {
            json.WriteStartObject();
            json.WriteString("kind", difference.Kind switch { DifferenceKind.Missing => "removed", DifferenceKind.Extra => "added", _ => "changed" });
            format.WriteKey(json, difference.Key);
            WriteValue("from", difference.Logged);
            WriteValue("to", difference.Live);
            json.WriteString("key_bytes", Hex.Of(difference.Key));
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

    /// <summary>One side of the comparison.</summary>
    /// <param name="Text">As text.</param>
    /// <param name="Write">As the fields of an object in JSON.</param>
    private sealed record Compared(string Text, Action<Utf8JsonWriter> Write)
    {
        public static Compared Of(StreamFold fold) => new($"{fold.Stream} at version {fold.Version}, {Times.Of(fold.Time)}", json =>
        {
            json.WriteString("stream", fold.Stream.ToString());
            json.WriteNumber("version", fold.Version.Value);
            json.WriteString("at", Times.Of(fold.Time));
        });

        public static Compared Of(BpfMap map, string pin) => new($"{map}", json =>
        {
            json.WriteString("pin", pin);
            json.WriteNumber("mapId", map.Info.Id);
            json.WriteString("name", map.Info.Name);
        });
    }
}
