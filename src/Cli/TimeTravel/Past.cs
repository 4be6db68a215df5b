using System.Globalization;
using Maplog.Cli.Output;
using Maplog.Events;
using Maplog.Folding;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Snapshots;

namespace Maplog.Cli.TimeTravel;

/// <summary>A stream at an earlier moment: finds the version of a time or an event, and folds up to it.</summary>
internal sealed class Past(LogStore log, StreamName stream, Terminal terminal, CancellationToken cancellation)
{
    private readonly LogReader _reader = new(log);

    public StreamName Stream => stream;

    /// <summary>The version of the options; the head if they name none.</summary>
    /// <exception cref="LogException">The stream did not exist at that time.</exception>
    public async Task<StreamPlace> FindAsync(PointInTime point)
    {
        var head = await _reader.ReadHeadAsync(stream, cancellation);
        var first = await _reader.ReadFirstAsync(stream, cancellation) ?? throw new LogException($"Stream {stream} has no events yet: start maplog-capture for it.");
        RequireHappened(point, head);
        if (point.At is { } at)
            return await _reader.FindAtAsync(stream, at, cancellation) ?? throw Before(first, $"at {Times.Of(at)}");
        if (point.Before is { } before)
            return await BeforeAsync(before, first, head.Version);
        if (point.Version is not { } version)
            return new StreamPlace(head.Version, head.Time);
        return await AtVersionAsync(version, first);
    }

    /// <summary>The first version at or after a time or a version; the first of the history if it begins later.</summary>
    /// <exception cref="UsageException">The moment is in the future.</exception>
    public async Task<StreamVersion> FindFromAsync(PointInTime point)
    {
        var head = await _reader.ReadHeadAsync(stream, cancellation);
        RequireHappened(point, head);
        if (point.Version is { } version)
            return version;
        // The last version before it, in the microseconds of the log.
        var before = new DateTimeOffset((point.At!.Value.UtcTicks + 9) / 10 * 10 - 10, TimeSpan.Zero);
        return await _reader.FindAtAsync(stream, before, cancellation) is { } place ? place.Version.Next : StreamVersion.None;
    }

    /// <summary>The map's content at a version.</summary>
    public async Task<StreamFold> ReadAsync(StreamVersion upTo)
    {
        var history = new StreamHistory(log, terminal.Complain);
        var work = await history.FindSnapshotsAsync(stream, upTo, cancellation) is [var near, ..] ? near.Entries + (upTo - near.Version) : upTo.Value;
        using var progress = new Progress(terminal, $"reading {stream}", work);
        var fold = await history.ReadAsync(stream, upTo, progress.Step, cancellation);
        return fold.Version == upTo && fold.Generation is not null
            ? fold
            : throw new LogException(fold.Version != upTo
                ? $"Stream {stream} has no version {upTo}, although its head is greater: the log at {log.Place} is damaged; 'maplog verify-log {stream}' says where."
                : $"Stream {stream} had no map yet at version {upTo}: no map_opened event comes before it.");
    }

    /// <summary>
    /// A snapshot with few later events, which can be written into a map while it is read, without the whole content in memory; null: there
    /// is none.
    /// </summary>
    public async Task<NearSnapshot?> FindNearAsync(StreamVersion upTo)
    {
        var found = await new StreamHistory(log).FindSnapshotsAsync(stream, upTo, cancellation);
        // For an array, it would be unknown which entries were ever written.
        return found is [var best, ..] && !((MapType)best.Shape.Type).IsArray() && upTo - best.Version <= Math.Max(100_000, best.Entries / 2) ? new NearSnapshot(log, best, upTo, cancellation) : null;
    }

    // If this clock is behind the source's clock, the log has later events.
    private void RequireHappened(PointInTime point, StreamHead head)
    {
        var now = TimeProvider.System.GetUtcNow();
        if (point.At is { } at && at > now && at > head.Time)
            throw new UsageException($"{Times.Of(at)} is in the future: it is {Times.Of(now)}, and {stream} ends at {Times.Of(head.Time)}. For the present map, leave the time out.");
        if (point.Version is { } version && version > head.Version)
        {
            var unix = version.Value > 100_000_000 ? $" A time in unix seconds is written @{version}." : "";
            throw new UsageException($"Stream {stream} has no version {version}: its head is {head.Version}.{unix}");
        }
    }

    private async Task<StreamPlace> AtVersionAsync(StreamVersion version, StreamPlace first)
    {
        if (version < first.Version)
            throw Before(first, $"at version {version}");
        await foreach (var page in _reader.ReadAsync(stream, new StreamVersion(version.Value - 1), version, cancellation))
            return new StreamPlace(version, page.Events.Span[0].Time);
        throw new LogException($"Stream {stream} has no version {version}, although its head is greater: the log at {log.Place} is damaged.");
    }

    private async Task<StreamPlace> BeforeAsync(string before, StreamPlace first, StreamVersion head)
    {
        StreamPlace? found;
        if (long.TryParse(before, NumberStyles.None, CultureInfo.InvariantCulture, out var version))
            found = version <= head.Value ? new StreamPlace(new StreamVersion(version), default) : null;
        else if (Guid.TryParse(before, out var id))
            found = await _reader.FindEventAsync(stream, id, cancellation);
        else if (EventWords.KindOf(before) is { } kind)
            found = await _reader.FindLastAsync(stream, kind, head, cancellation);
        else
            throw new UsageException($"--before: '{before}' is not an event: give a version, an event's id, or a kind, which means its last event ({string.Join(", ", EventWords.All)}).");
        return found is null
            ? throw new LogException($"Stream {stream} has no event '{before}': 'maplog history {stream}' lists its changes.")
            : await AtVersionAsync(new StreamVersion(found.Version.Value - 1), first);
    }

    private LogException Before(StreamPlace first, string when) => first.Version.Value == 1
        ? new LogException($"Stream {stream} did not exist {when}: it begins at {Times.Of(first.Time)}. Ask for that time or a later one.")
        : new PrunedException(stream, first, when, log);
}
