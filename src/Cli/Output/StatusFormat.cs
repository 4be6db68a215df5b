using System.Globalization;
using System.Text.Json;
using Maplog.Events;
using Maplog.Log;

namespace Maplog.Cli.Output;

/// <summary>The state of a log as text and as JSON.</summary>
internal static class StatusFormat
{
    /// <summary>One table each for sources, streams and replicas; empty tables are left out.</summary>
    public static IReadOnlyList<TextTable> Tables(LogStatus status)
    {
        List<TextTable> tables = [];
        var sources = new TextTable("Source", "Epoch", "Writer", "Since", "Lease", "Stands by", "Streams");
        foreach (var source in status.Sources)
            sources.Add(source.Source, $"{source.Epoch}", source.Node ?? "-", source.Since is { } since ? Times.Of(since) : "-", Lease(source), source.StandsBy is { Count: > 0 } nodes ? string.Join(", ", nodes) : "-", $"{status.Streams.Count(s => s.Stream.Source == source.Source)}");
        if (status.Sources.Count > 0)
            tables.Add(sources);
        var streams = new TextTable("Stream", "Head", "Last event", "Ago", "Gaps in the last hour");
        foreach (var (head, _) in status.Streams)
        {
            var isEmpty = head.Version == StreamVersion.None;
            streams.Add(head.Stream.ToString(), $"{head.Version}", isEmpty ? "-" : Times.Of(head.Time), isEmpty ? "-" : Span(status.At - head.Time), Gaps(status.Gaps.Where(g => g.Stream == head.Stream)));
        }
        if (status.Streams.Count > 0)
            tables.Add(streams);
        var replicas = new TextTable("Replica of", "Node", "Pin", "Version", "Behind", "Lag", "State", "Seen", "Ready");
        foreach (var r in status.Replicas)
        {
            replicas.Add(
                r.Stream.ToString(), r.Node, r.Pin, $"{r.Version}", r.Versions is { } versions ? $"{versions}" : "-", r.Lag is { } lag ? Span(lag) : "-",
                r.IsGone ? $"gone since {Times.Of(r.SeenAt)}" : r.State, $"{Span(r.SeenAgo)} ago", r.IsWell ? "yes" : "no");
        }
        if (status.Replicas.Count > 0)
            tables.Add(replicas);
        return tables;
    }

    /// <summary>The problem of a source, a sentence; null: none.</summary>
    public static string? Complaint(SourceStatus source) => source.IsWritten
        ? source.Troubles is { Count: > 0 } troubles ? $"The capture of {source.Source} on {source.Owner} is not ready: {string.Join(" ", troubles)}" : null
        : $"Source {source.Source} has no writer: the capture on {source.Owner} has ended. Start it again{(source.StandsBy is { Count: > 0 } nodes ? $", or promote a node that stands by: 'maplog promote {source.Source} --node {nodes[0]}'" : "")}.";

    /// <summary>The problem of a replica, a sentence; null: none.</summary>
    public static string? Complaint(ReplicaRow replica)
    {
        var place = $"Replica {replica.Pin} of {replica.Stream} on {replica.Node}";
        if (replica.IsGone)
            return $"{place} is gone since {Times.Of(replica.SeenAt)}: its replicator has crashed, or cannot reach the log. Start it again, or, if the host will not come back, run 'maplog forget {replica.Node}'.";
        return replica.Trouble is { } trouble ? $"{place} is not ready: {trouble}" : null;
    }

    public static void Write(Utf8JsonWriter json, LogStatus status)
    {
        json.WriteStartObject();
        json.WriteString("at", Times.Of(status.At));
        json.WriteBoolean("ok", status.IsWell);
        json.WriteStartArray("sources");
        foreach (var source in status.Sources)
        {
            json.WriteStartObject();
            json.WriteString("source", source.Source);
            json.WriteNumber("epoch", source.Epoch.Value);
            json.WriteString("writer", source.Node);
            json.WriteString("since", source.Since is { } since ? Times.Of(since) : null);
            json.WriteString("owner", source.Owner);
            json.WriteBoolean("held", source.IsHeld);
            json.WriteStartArray("troubles");
            foreach (var trouble in source.Troubles ?? [])
                json.WriteStringValue(trouble);
            json.WriteEndArray();
            json.WriteStartArray("standsBy");
            foreach (var standby in source.StandsBy ?? [])
                json.WriteStringValue(standby);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("streams");
        foreach (var (head, _) in status.Streams)
            Write(json, head, status);
        json.WriteEndArray();
        json.WriteStartArray("replicas");
        foreach (var replica in status.Replicas)
            Write(json, replica);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, StreamHead head, LogStatus status)
    {
        json.WriteStartObject();
        json.WriteString("stream", head.Stream.ToString());
        json.WriteNumber("head", head.Version.Value);
        json.WriteNumber("epoch", head.Epoch.Value);
        json.WriteString("lastEventAt", head.Version == StreamVersion.None ? null : Times.Of(head.Time));
        json.WriteStartArray("gapsLastHour");
        foreach (var gap in status.Gaps.Where(g => g.Stream == head.Stream))
        {
            json.WriteStartObject();
            json.WriteString("reason", gap.Reason);
            json.WriteNumber("gaps", gap.Gaps);
            json.WriteNumber("lost", gap.Lost);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ReplicaRow replica)
    {
        json.WriteStartObject();
        json.WriteString("stream", replica.Stream.ToString());
        json.WriteString("node", replica.Node);
        json.WriteString("pin", replica.Pin);
        json.WriteNumber("mapId", replica.MapId);
        json.WriteString("bootId", replica.BootId);
        json.WriteNumber("epoch", replica.Epoch.Value);
        json.WriteNumber("version", replica.Version.Value);
        json.WriteNumber("head", replica.Head.Value);
        Write(json, "lagVersions", replica.Versions);
        Write(json, "lagSeconds", replica.Lag?.TotalSeconds);
        json.WriteString("state", replica.IsGone ? "gone" : replica.State);
        json.WriteBoolean("ready", replica.IsWell);
        json.WriteString("trouble", replica.Trouble);
        json.WriteNumber("fromLog", replica.FromLog);
        json.WriteNumber("fromBus", replica.FromBus);
        json.WriteNumber("repaired", replica.Repaired);
        json.WriteString("startedAt", Times.Of(replica.StartedAt));
        json.WriteString("seenAt", Times.Of(replica.SeenAt));
        json.WriteNumber("seenSecondsAgo", replica.SeenAgo.TotalSeconds);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, double? number)
    {
        if (number is { } known)
            json.WriteNumber(name, known);
        else
            json.WriteNull(name);
    }

    private static string Lease(SourceStatus source) => (source.Owner, source.IsHeld) switch
    {
        (null, _) => "-",
        (_, true) => $"held by {source.Owner}",
        _ => $"of {source.Owner}, not held",
    };

    private static string Gaps(IEnumerable<GapSummary> gaps)
    {
        var text = string.Join(", ", gaps.Select(g => g.Lost > 0 ? $"{g.Gaps} {g.Reason} ({g.Lost} lost)" : $"{g.Gaps} {g.Reason}"));
        return text.Length == 0 ? "-" : text;
    }

    // Clocks of two hosts may differ: a time in the future counts as now.
    private static string Span(TimeSpan span)
    {
        var time = span < TimeSpan.Zero ? TimeSpan.Zero : span;
        return time switch
        {
            { TotalMinutes: < 2 } => $"{time.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture)} s",
            { TotalHours: < 2 } => $"{time.TotalMinutes:0} min",
            { TotalDays: < 2 } => $"{time.TotalHours:0} h",
            _ => $"{time.TotalDays:0} days",
        };
    }
}
