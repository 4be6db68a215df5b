using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Cli.TimeTravel;
using Maplog.Events;
using Maplog.Log;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog verify-log [STREAM]</c></summary>
internal static class VerifyLog
{
    public static Command Command(Terminal terminal)
    {
        var stream = StreamArgument.Optional();
        var command = new ExampleCommand(
            "verify-log", "Check that nobody has changed the log: compare every sealed range of each stream with its hash, which includes the hash of the previous range. Exit code 1 if a seal is broken.",
            "maplog verify-log", "maplog verify-log lb-1/ct_map --json") { stream };
        Call.Set(command, terminal, call => RunAsync(call, call.Arguments.GetValue(stream)));
        return command;
    }

    private static async Task<int> RunAsync(Call call, string? name)
    {
        await using var log = call.OpenLog();
        IReadOnlyList<StreamSummary> streams = name is null ? await new LogReader(log).ListStreamsAsync(cancellation: call.Cancellation) : [await call.FindStreamAsync(log, name)];
        var results = new List<Result>();
        foreach (var stream in streams)
            results.Add(await CheckAsync(call, log, stream.Head));
        if (call.WantsJson)
        {
            call.Terminal.Json(json =>
            {
                json.WriteStartArray();
                foreach (var result in results)
                    Write(json, result);
                json.WriteEndArray();
            });
        }
        else
        {
            foreach (var result in results)
                call.Terminal.Out.WriteLine(result.Broken is { } broken
                    ? $"{result.Stream}: BROKEN: {broken}"
                    : $"{result.Stream}: {Count.Of(result.Seals, "seal is", "seals are")} whole, up to version {result.SealedTo}; {Count.Of(result.Unsealed, "change since is", "changes since are")} not sealed yet.{(result.Pruned is { } pruned ? $"The history up to version {pruned} is pruned." : "")}");
        }
        return results.Any(r => r.Broken is not null) ? ExitCode.Failed : ExitCode.Ok;
    }

    private static async Task<Result> CheckAsync(Call call, LogStore log, StreamHead head)
    {
        var reader = new LogReader(log);
        var first = (await reader.ReadFirstAsync(head.Stream, call.Cancellation))?.Version ?? StreamVersion.None.Next;
        var result = new Result(head.Stream, 0, StreamVersion.None, 0, null, null);
        // After a prune the chain begins at the first remaining seal.
        SealChain? chain = first.Value == 1 ? new SealChain() : null;
        byte[]? beginning = null;
        Pruned? record = null;
        var time = DateTimeOffset.MinValue;
        try
        {
            using var progress = new Progress(call.Terminal, $"checking {head.Stream}", head.Version - first);
            await foreach (var page in reader.ReadAsync(head.Stream, cancellation: call.Cancellation))
            {
                foreach (var logged in page)
                {
                    if (logged.Time < time)
                        return result with { Broken = $"the time of version {logged.Version} is before the time of the previous version, which maplog never writes. The time was changed." };
                    time = logged.Time;
                    if (logged.Kind == EventKind.Sealed)
                    {
                        var seal = (Sealed)NoteCodec.Read(EventKind.Sealed, logged.Data.Span);
                        if (chain is not null)
                        {
                            var expected = chain.Seal(new Epoch(seal.Epoch));
                            if (seal.First != expected.First || seal.Last != expected.Last || !CryptographicOperations.FixedTimeEquals(seal.Hash, expected.Hash))
                                return result with { Broken = $"versions {expected.First} to {expected.Last} are not the events that the seal at version {logged.Version} sealed. One of them, or the seal, was changed{(result.Seals > 0 ? $"; the ranges before, up to version {result.SealedTo}, are whole" : "")}. Compare with a backup." };
                            result = result with { Seals = result.Seals + 1, SealedTo = new StreamVersion(seal.Last) };
                        }
                        if (chain is null)
                        {
                            chain = new SealChain(logged.Version + -1, seal.Hash);
                            beginning = logged.Version == first ? seal.Hash : null;
                        }
                    }
                    if (logged.Kind == EventKind.Pruned)
                        record = (Pruned)NoteCodec.Read(EventKind.Pruned, logged.Data.Span);
                    chain?.Take(logged.Version, logged.Time, logged.Kind, logged.Data.Span);
                }
                progress.Step(page.Count);
            }
            result = result with { Unsealed = chain?.Changes ?? 0 };
            return first.Value == 1 ? result : result with { Pruned = first + -1, Broken = await BeginningAsync(call, log, head.Stream, first, beginning, record) };
        }
        catch (LogException e) when (!e.IsTransient)
        {
            return result with { Broken = e.Message };
        }
        finally
        {
            chain?.Dispose();
        }
    }

    /// <summary>Whether the history after a prune equals its prune record.</summary>
    /// <returns>Null: it does.</returns>
    private static async Task<string?> BeginningAsync(Call call, LogStore log, StreamName stream, StreamVersion first, byte[]? seal, Pruned? record)
    {
        if (record is null || record.UpTo < first.Value - 1)
            return $"the versions before {first} are gone, and no prune record says so. Compare with a backup.";
        // The next prune continues an interrupted one.
        if (record.UpTo >= first.Value)
            return null;
        if (seal is null || !seal.AsSpan().SequenceEqual(record.SealHash))
            return $"version {first}, with which the pruned stream begins, is not the seal that the prune record names. The seal was changed. Compare with a backup.";
        var snapshots = new SnapshotStore(log);
        var kept = (await snapshots.FindAsync(stream, first, cancellation: call.Cancellation)).FirstOrDefault(s => s.Version == first && s.Hash.AsSpan().SequenceEqual(record.SnapshotHash));
        if (kept is null)
            return $"the snapshot at version {first} that the prune record names is missing. Compare with a backup.";
        await foreach (var chunk in snapshots.ReadAsync(kept, call.Cancellation))
        {
            // Each chunk is verified while it is read.
        }
        return null;
    }

    private static void Write(Utf8JsonWriter json, Result result)
    {
        json.WriteStartObject();
        json.WriteString("stream", result.Stream.ToString());
        json.WriteBoolean("whole", result.Broken is null);
        json.WriteNumber("seals", result.Seals);
        json.WriteNumber("sealedTo", result.SealedTo.Value);
        json.WriteNumber("unsealed", result.Unsealed);
        if (result.Pruned is { } pruned)
            json.WriteNumber("prunedTo", pruned.Value);
        if (result.Broken is { } broken)
            json.WriteString("broken", broken);
        json.WriteEndObject();
    }

    private sealed record Result(StreamName Stream, int Seals, StreamVersion SealedTo, long Unsealed, StreamVersion? Pruned, string? Broken);
}
