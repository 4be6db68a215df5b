using System.CommandLine;
using Maplog.Cli.Output;
using Maplog.Cli.Settings;
using Maplog.Cli.TimeTravel;
using Maplog.Log;
using Maplog.Snapshots;

namespace Maplog.Cli.Verbs;

/// <summary><c>maplog snapshot STREAM</c></summary>
internal static class Snapshot
{
    public static Command Command(Terminal terminal)
    {
        var stream = StreamArgument.Make();
        var list = new Option<bool>("--list") { Description = "List the snapshots, and write none." };
        var command = new ExampleCommand(
            "snapshot", "Write a snapshot, the map's whole present content, into the log's database. A replay and a new replica begin with the nearest snapshot instead of reading all events. Needs the role maplog_writer or maplog_admin.",
            "maplog snapshot lb-1/ct_map", "maplog snapshot lb-1/ct_map --list --json") { stream, list, TableOptions.Csv };
        Call.Set(command, terminal, call => RunAsync(call, call.Arguments.GetRequiredValue(stream), call.Arguments.GetValue(list)));
        return command;
    }

    private static async Task<int> RunAsync(Call call, string name, bool listsOnly)
    {
        if (call.WantsCsv && !listsOnly)
            throw new UsageException("--csv needs the list of snapshots: give --list too.");
        await using var log = call.OpenLog();
        var found = await call.FindStreamAsync(log, name);
        if (listsOnly)
        {
            List(call, await new SnapshotStore(log).FindAsync(found.Stream, found.Head.Version, int.MaxValue, call.Cancellation));
            return ExitCode.Ok;
        }
        Log.Snapshot? written;
        using (var progress = new Progress(call.Terminal, $"reading {found.Stream}", found.Head.Version.Value))
            written = await new SnapshotTaker(log, call.Terminal.Complain).TakeAsync(found.Stream, found.Head.Version, progress.Step, call.Cancellation);
        if (written is null)
            throw new LogException($"Stream {found.Stream} has no map yet, so there is no content for a snapshot.");
        if (call.WantsJson)
            call.Terminal.Json(json => Write(json, written));
        else
            call.Terminal.Out.WriteLine($"Snapshot of {written.Stream} at version {written.Version}: {Count.Of(written.Entries, "entry", "entries")} in {Count.Of(written.Chunks, "chunk")}, hash {Hex.Of(written.Hash)}.");
        return ExitCode.Ok;
    }

    private static void List(Call call, IReadOnlyList<Log.Snapshot> snapshots)
    {
        if (call.WantsJson)
        {
            call.Terminal.Json(json =>
            {
                json.WriteStartArray();
                foreach (var snapshot in snapshots)
                    Write(json, snapshot);
                json.WriteEndArray();
            });
            return;
        }
        var table = new TextTable("Version", "Time", "Entries", "Written", "Hash");
        foreach (var snapshot in snapshots)
            table.Add($"{snapshot.Version}", Times.Of(snapshot.Time), $"{snapshot.Entries}", Times.Of(snapshot.MadeAt), Hex.Of(snapshot.Hash));
        if (call.WantsCsv)
            table.WriteCsv(call.Terminal.Out);
        else if (snapshots.Count > 0)
            table.Write(call.Terminal);
    }

    private static void Write(System.Text.Json.Utf8JsonWriter json, Log.Snapshot snapshot)
    {
        json.WriteStartObject();
        json.WriteString("stream", snapshot.Stream.ToString());
        json.WriteNumber("version", snapshot.Version.Value);
        json.WriteString("at", Times.Of(snapshot.Time));
        json.WriteNumber("entries", snapshot.Entries);
        json.WriteNumber("chunks", snapshot.Chunks);
        json.WriteString("hash", Hex.Of(snapshot.Hash));
        json.WriteEndObject();
    }
}
