using System.CommandLine;
using Maplog.Btf;
using Maplog.Cli.Describing;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Cli.TimeTravel;
using Maplog.Events;
using Maplog.Folding;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog get STREAM KEY</c></summary>
internal static class Get
{
    public static Command Command(Terminal terminal)
    {
        var stream = StreamArgument.Make();
        var key = new Argument<string>("KEY") { Description = "Hex, a number, or fields as saddr=10.0.0.1,dport=443 (fields that are not named match anything); for a trie a network (10.0.0.0/8), or an address, which finds its longest network." };
        var point = new PointInTime.Options();
        var hex = new Option<bool>("--hex") { Description = "Print bytes in hex, without the description." };
        var command = new ExampleCommand(
            "get", "Print one entry of a map, or the entries that match some fields of the key, now or at another moment. Exit code 1 if no entry matches.",
            "maplog get lb-1/ct_map saddr=10.0.0.1,dport=443", "maplog get lb-1/routes 10.1.2.3 --at '10 minutes ago'", "maplog get lb-1/ct_map 7 --json")
        {
            stream, key, point.At, point.Version, point.Before, hex,
        };
        Call.Set(command, terminal, call => RunAsync(
            call, call.Arguments.GetRequiredValue(stream), call.Arguments.GetRequiredValue(key), point.Read(call.Arguments, TimeProvider.System), call.Arguments.GetValue(hex)));
        return command;
    }

    private static async Task<int> RunAsync(Call call, string name, string key, PointInTime point, bool hexOnly)
    {
        await using var log = call.OpenLog();
        var stream = (await call.FindStreamAsync(log, name)).Stream;
        var past = new Past(log, stream, call.Terminal, call.Cancellation);
        var fold = await past.ReadAsync((await past.FindAsync(point)).Version);
        var map = fold.Generation!;
        var descriptions = await Descriptions.ReadAsync(log, stream, call.Cancellation);
        var entries = Find(fold, key, descriptions.Of(map));
        var format = new FieldFormat(map, hexOnly ? null : descriptions);
        if (call.WantsJson)
        {
            Entries.WriteJson(call.Terminal, fold, entries, format);
        }
        else
        {
            if (!hexOnly && entries.Count > 0 && descriptions.GuessesOf(stream, map) is { } guesses)
                call.Terminal.Complain(guesses);
            foreach (var (found, value) in entries)
                call.Terminal.Out.WriteLine($"{format.Key(found)} -> {format.Value(value)}");
        }
        if (entries.Count > 0)
            return ExitCode.Ok;
        call.Terminal.Complain($"{stream} has no entry {key} at version {fold.Version}, {Times.Of(fold.Time)}.");
        return ExitCode.Failed;
    }

    private static IReadOnlyCollection<(byte[] Key, byte[] Value)> Find(StreamFold fold, string text, MapFields? fields)
    {
        var shape = fold.Shape!;
        if (LpmPrefix.Applies(shape, fields?.Key) && LpmPrefix.ParseAddress(text, shape.KeySize) is { } address)
            return Longest(fold.Entries, address);
        var pattern = KeyPattern.Require("KEY", text, shape, fields);
        if (pattern.IsWhole)
            return fold.Entries.TryFind(pattern.Bytes, out var entry) ? [(entry.Key.ToArray(), entry.Value.ToArray())] : [];
        var matching = new MapFold(shape.KeySize, shape.ValueBytes);
        foreach (var candidate in fold.Entries)
            if (pattern.Matches(candidate.Key))
                matching.Put(candidate.Key, candidate.Value);
        return SortedEntries.Of(matching, shape);
    }

    // The same result as the kernel's own lookup.
    private static List<(byte[] Key, byte[] Value)> Longest(MapFold entries, byte[] address)
    {
        var (best, length) = (default((byte[] Key, byte[] Value)?), -1L);
        foreach (var entry in entries)
        {
            var bits = BitConverter.ToUInt32(entry.Key);
            if (bits > length && LpmPrefix.Contains(entry.Key, address))
                (best, length) = ((entry.Key.ToArray(), entry.Value.ToArray()), bits);
        }
        return best is { } found ? [found] : [];
    }
}
