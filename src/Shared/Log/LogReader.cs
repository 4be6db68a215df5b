using System.Globalization;
using System.Runtime.CompilerServices;
using Maplog.Events;
using Npgsql;

namespace Maplog.Log;

/// <summary>Reads streams, by plain SQL. Any number of readers and calls at a time.</summary>
public sealed class LogReader(LogStore store)
{
    // One row: stream, version, time, type, epoch and header of a stream's last event.
    private const string HeadColumns = "e.version, e.timestamp, e.type, (e.data->>'epoch')::int, substring(e.bdata for 37)";

    /// <summary>
    /// The events of a stream after a version, in order, up to the head as it is when the reading begins. To follow a stream,
    /// call it again from the last version read.
    /// </summary>
    /// <param name="stream">Which stream; one that does not exist has no events.</param>
    /// <param name="after">The last version not wanted; 0 for all.</param>
    /// <param name="upTo">The last version wanted; null: the head.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <returns>Pages of events. A page is filled anew for the next one.</returns>
    /// <exception cref="LogException">The log cannot be read, or versions are missing between two others.</exception>
    public async IAsyncEnumerable<EventPage> ReadAsync(
        StreamName stream, StreamVersion after = default, StreamVersion? upTo = null, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        // The names' alphabets have nothing that would have to be quoted.
        var select = string.Create(CultureInfo.InvariantCulture, $"""
            select version, timestamp, type, coalesce(bdata, convert_to(data::text, 'UTF8')) from {store.Schema}.mt_events
            where tenant_id = '{stream.Source}' and stream_id = '{stream}' and version > {after.Value}{(upTo is { } last ? $" and version <= {last.Value}" : "")}
            order by version
            """);
        var doing = $"Reading {stream} after version {after}";
        await using var connection = await Try(doing, async () => await OpenAsync(cancellation));
        await using var pages = CopyRows.ReadAsync(connection, select, cancellation).GetAsyncEnumerator(cancellation);
        var previous = StreamVersion.None;
        while (await Try(doing, async () => await pages.MoveNextAsync()))
        {
            var page = pages.Current;
            if (previous != StreamVersion.None && page.First != previous.Next || page.Last - page.First + 1 != page.Count)
                throw new LogException($"{doing} failed: versions are missing between {(previous == StreamVersion.None ? page.First : previous)} and {page.Last}. The log at {store.Place} is damaged; maplog never leaves holes.");
            previous = page.Last;
            yield return page;
        }
    }

    /// <summary>Where the stream ends. An index's last entry: as fast in a log of ten million events as in an empty one.</summary>
    public async Task<StreamHead> ReadHeadAsync(StreamName stream, CancellationToken cancellation = default)
    {
        return await Try($"Reading the head of {stream}", async () =>
        {
            await using var session = await store.OpenAsync(cancellation);
            await using var command = new NpgsqlCommand(
                $"select e.stream_id, {HeadColumns} from {store.Schema}.mt_events e where e.tenant_id = $1 and e.stream_id = $2 order by e.version desc limit 1", session);
            command.Parameters.Add(new() { Value = stream.Source });
            command.Parameters.Add(new() { Value = stream.ToString() });
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            return await reader.ReadAsync(cancellation) ? Head(reader) : StreamHead.Empty(stream);
        });
    }

    /// <summary>Where the stream begins: version 1, or what a prune has left; null when it has no events.</summary>
    public async Task<StreamPlace?> ReadFirstAsync(StreamName stream, CancellationToken cancellation = default) =>
        await PlaceAsync($"Reading the beginning of {stream}", stream, "order by version limit 1", null, cancellation);

    /// <summary>
    /// The last version that had happened at a time; null when the stream begins later. Stored time never decreases with the
    /// version, whatever the clock did, so there is exactly one answer, and a search by halves finds it in some twenty looks
    /// at the index, however long the stream.
    /// </summary>
    public async Task<StreamPlace?> FindAtAsync(StreamName stream, DateTimeOffset at, CancellationToken cancellation = default)
    {
        if (await ReadFirstAsync(stream, cancellation) is not { } low || low.Time > at)
            return null;
        var head = await ReadHeadAsync(stream, cancellation);
        if (head.Time <= at)
            return new StreamPlace(head.Version, head.Time);
        var high = head.Version;
        while (high - low.Version > 1)
        {
            var middle = low.Version + (high - low.Version) / 2;
            var found = await PlaceAsync($"Looking for {at:O} in {stream}", stream, "and version >= $3 order by version limit 1", middle.Value, cancellation)
                ?? throw new LogException($"Looking for {at:O} in {stream} failed: version {middle} is not in the log at {store.Place}, although later versions are.");
            if (found.Time <= at)
                low = found;
            else
                high = middle;
        }
        return low;
    }

    /// <summary>The newest event of a kind up to a version; null when there is none.</summary>
    public async Task<StreamPlace?> FindLastAsync(StreamName stream, EventKind kind, StreamVersion upTo, CancellationToken cancellation = default) =>
        await PlaceAsync(
            $"Looking for the last {EventNames.Name(kind)} of {stream}", stream,
            $"and version <= $3 and type = '{EventNames.Name(kind)}' and bdata is {(kind.IsChange() ? "not " : "")}null order by version desc limit 1", upTo.Value, cancellation);

    /// <summary>The event with this id (Marten's); null when the stream has none.</summary>
    public async Task<StreamPlace?> FindEventAsync(StreamName stream, Guid id, CancellationToken cancellation = default) =>
        await PlaceAsync($"Looking for event {id} of {stream}", stream, $"and id = '{id}'", null, cancellation);

    private async Task<StreamPlace?> PlaceAsync(string doing, StreamName stream, string which, long? version, CancellationToken cancellation)
    {
        return await Try<StreamPlace?>(doing, async () =>
        {
            await using var session = await store.OpenAsync(cancellation);
            await using var command = new NpgsqlCommand($"select version, timestamp from {store.Schema}.mt_events where tenant_id = $1 and stream_id = $2 {which}", session);
            command.Parameters.Add(new() { Value = stream.Source });
            command.Parameters.Add(new() { Value = stream.ToString() });
            if (version is { } bound)
                command.Parameters.Add(new() { Value = bound });
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            return await reader.ReadAsync(cancellation) ? new StreamPlace(new StreamVersion(reader.GetInt64(0)), reader.GetFieldValue<DateTimeOffset>(1)) : null;
        });
    }

    /// <summary>Where each stream of the source ends, by name.</summary>
    /// <param name="source">The source.</param>
    /// <param name="streams">Only these, as far as there are such; null: all.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="FormatException">The last event of one of them is damaged.</exception>
    public async Task<IReadOnlyList<StreamHead>> ReadHeadsAsync(string source, IReadOnlyCollection<StreamName>? streams, CancellationToken cancellation = default)
    {
        return await Try($"Reading the heads of source {source}", async () =>
        {
            await using var session = await store.OpenAsync(cancellation);
            await using var command = new NpgsqlCommand($"""
                select s.id, {HeadColumns} from {store.Schema}.mt_streams s
                left join lateral (select * from {store.Schema}.mt_events e where e.tenant_id = $1 and e.stream_id = s.id order by e.version desc limit 1) e on true
                where s.tenant_id = $1 {(streams is null ? "" : "and s.id = any($2)")} order by s.id
                """, session);
            command.Parameters.Add(new() { Value = source });
            if (streams is not null)
                command.Parameters.Add(new() { Value = streams.Select(s => s.ToString()).ToArray() });
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            var heads = new List<StreamHead>();
            while (await reader.ReadAsync(cancellation))
                heads.Add(Head(reader));
            return heads;
        });
    }

    /// <inheritdoc cref="ReadHeadsAsync(string, IReadOnlyCollection{StreamName}?, CancellationToken)"/>
    public Task<IReadOnlyList<StreamHead>> ReadHeadsAsync(string source, CancellationToken cancellation = default) => ReadHeadsAsync(source, null, cancellation);

    /// <summary>All streams, or those of one source, by name.</summary>
    public async Task<IReadOnlyList<StreamSummary>> ListStreamsAsync(string? source = null, CancellationToken cancellation = default)
    {
        return await Try(source is null ? "Listing the streams" : $"Listing the streams of source {source}", async () =>
        {
            await using var session = await store.OpenAsync(cancellation);
            await using var command = new NpgsqlCommand($"""
                select s.id, {HeadColumns}, convert_to(coalesce(o.data, k.opened)::text, 'UTF8'), case when m.version > coalesce(o.version, k.opened_version) then convert_to(m.data::text, 'UTF8') end from {store.Schema}.mt_streams s
                left join lateral (select * from {store.Schema}.mt_events e where e.tenant_id = s.tenant_id and e.stream_id = s.id order by e.version desc limit 1) e on true
                left join lateral (select n.data, n.version from {store.Schema}.mt_events n
                    where n.tenant_id = s.tenant_id and n.type = 'map_opened' and n.stream_id = s.id and n.bdata is null order by n.version desc limit 1) o on true
                left join lateral (select n.data, n.version from {store.Schema}.mt_events n
                    where n.tenant_id = s.tenant_id and n.type = 'map_moved' and n.stream_id = s.id and n.bdata is null order by n.version desc limit 1) m on true
                left join lateral (select k.opened, k.opened_version from {store.Schema}.snapshots k where k.stream = s.id order by k.version desc limit 1) k on true
                where $1::text is null or s.tenant_id = $1 order by s.id
                """, session);
            command.Parameters.Add(new() { Value = (object?)source ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            var streams = new List<StreamSummary>();
            while (await reader.ReadAsync(cancellation))
                streams.Add(new StreamSummary(Head(reader), Generation(reader)));
            return streams;
        });
    }

    /// <summary>The map that the stream records now, or recorded last; null for a stream without one yet.</summary>
    public async Task<StreamGeneration?> ReadGenerationAsync(StreamName stream, CancellationToken cancellation = default)
    {
        var opened = await ReadLatestAsync<MapOpened>(stream, cancellation);
        if (opened is null)
            return null;
        var moved = await ReadLatestAsync<MapMoved>(stream, cancellation);
        return moved is null || moved.Version < opened.Version
            ? new StreamGeneration(opened.Version, opened.Version, opened.Note)
            : new StreamGeneration(opened.Version, moved.Version, moved.Note.Of(opened.Note));
    }

    /// <summary>
    /// The stream's newest note of a kind, as <see cref="MapOpened"/> or <see cref="EpochStarted"/>; null when it has none. Of
    /// these two the snapshots keep the last that was pruned.
    /// </summary>
    public Task<LoggedNote<T>?> ReadLatestAsync<T>(StreamName stream, CancellationToken cancellation = default) where T : class =>
        ReadLatestAsync<T>(stream, new StreamVersion(long.MaxValue), cancellation);

    /// <summary>The same as it was at a version.</summary>
    /// <param name="stream">Which stream.</param>
    /// <param name="upTo">The last version that counts.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public async Task<LoggedNote<T>?> ReadLatestAsync<T>(StreamName stream, StreamVersion upTo, CancellationToken cancellation = default) where T : class
    {
        var kind = EventNames.KindOf(typeof(T));
        var kept = kind switch
        {
            EventKind.MapOpened => "opened",
            EventKind.EpochStarted => "term",
            _ => null,
        };
        return await Try($"Reading the latest {typeof(T).Name} of {stream}", async () =>
        {
            var select = $"""
                (select version, timestamp, convert_to(data::text, 'UTF8') from {store.Schema}.mt_events
                where tenant_id = $1 and type = $2 and stream_id = $3 and bdata is null and version <= $4 order by version desc limit 1)
                """;
            if (kept is not null)
            {
                select += $"""
                     union all
                    (select {kept}_version, {kept}_at, convert_to({kept}::text, 'UTF8') from {store.Schema}.snapshots
                    where stream = $3 and {kept}_version <= $4 order by {kept}_version desc limit 1)
                    order by 1 desc limit 1
                    """;
            }
            await using var session = await store.OpenAsync(cancellation);
            await using var command = new NpgsqlCommand(select, session);
            command.Parameters.Add(new() { Value = stream.Source });
            command.Parameters.Add(new() { Value = EventNames.Name(kind) });
            command.Parameters.Add(new() { Value = stream.ToString() });
            command.Parameters.Add(new() { Value = upTo.Value });
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            if (!await reader.ReadAsync(cancellation))
                return null;
            var note = (T)NoteCodec.Read(kind, reader.GetFieldValue<byte[]>(2));
            return new LoggedNote<T>(new StreamVersion(reader.GetInt64(0)), reader.GetFieldValue<DateTimeOffset>(1), note);
        });
    }

    /// <summary>The newest change that came from a ring, found by walking back from the head past what a scan added; null when there is none.</summary>
    /// <param name="stream">Which stream.</param>
    /// <param name="after">Where to stop, for example at the epoch's <see cref="EpochStarted"/>.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public async Task<LoggedRecord?> ReadLastRecordAsync(StreamName stream, StreamVersion after = default, CancellationToken cancellation = default)
    {
        return await Try<LoggedRecord?>($"Reading the last ring record of {stream}", async () =>
        {
            await using var session = await store.OpenAsync(cancellation);
            await using var command = new NpgsqlCommand($"""
                select version, substring(bdata for 37) from {store.Schema}.mt_events
                where tenant_id = $1 and stream_id = $2 and version > $3 and {store.Schema}.change_ring_position(bdata) >= 0
                order by version desc limit 1
                """, session);
            command.Parameters.Add(new() { Value = stream.Source });
            command.Parameters.Add(new() { Value = stream.ToString() });
            command.Parameters.Add(new() { Value = after.Value });
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            return await reader.ReadAsync(cancellation)
                ? new LoggedRecord(new StreamVersion(reader.GetInt64(0)), Header(reader.GetFieldValue<byte[]>(1)))
                : null;
        });
    }

    /// <summary>The greatest epoch that any stream of the source has; 0 when it has none.</summary>
    public async Task<Epoch> ReadLatestEpochAsync(string source, CancellationToken cancellation = default)
    {
        return await Try($"Reading the latest epoch of source {source}", async () =>
        {
            await using var session = await store.OpenAsync(cancellation);
            await using var command = new NpgsqlCommand(
                $"""
                select greatest(
                    (select coalesce(max((data->>'epoch')::int), 0) from {store.Schema}.mt_events where tenant_id = $1 and type = 'epoch_started' and bdata is null),
                    (select coalesce(max(epoch), 0) from {store.Schema}.snapshots where source = $1))
                """, session);
            command.Parameters.Add(new() { Value = source });
            return new Epoch((int)(await command.ExecuteScalarAsync(cancellation))!);
        });
    }

    /// <summary>The source's last sequence number; 0 when it has no events.</summary>
    internal async Task<long> ReadSequenceAsync(string source, CancellationToken cancellation)
    {
        return await Try($"Reading the last sequence number of source {source}", async () =>
        {
            await using var session = await store.OpenAsync(cancellation);
            await using var command = new NpgsqlCommand($"select coalesce(max(seq_id), 0) from {store.Schema}.mt_events where tenant_id = $1", session);
            command.Parameters.Add(new() { Value = source });
            return (long)(await command.ExecuteScalarAsync(cancellation))!;
        });
    }

    /// <summary>Whether the log answers.</summary>
    /// <param name="within">How long it may take.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    /// <returns>Null; or a sentence why not.</returns>
    public async Task<string?> TryReachAsync(TimeSpan within, CancellationToken cancellation = default)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        late.CancelAfter(within);
        try
        {
            return await Try<string?>("Asking the log", async () =>
            {
                await using var session = await store.OpenAsync(late.Token);
                await using var command = new NpgsqlCommand("select 1", session);
                await command.ExecuteScalarAsync(late.Token);
                return null;
            });
        }
        catch (LogException e)
        {
            return e.Message;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return $"Asking the log failed. {store.Place} has not answered within {within.TotalSeconds:0.#} s.";
        }
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellation)
    {
        var connection = await store.OpenAsync(cancellation);
        try
        {
            // The rows lie in the order of the index. The planner, who sees other streams' rows among them, would collect them
            // first and sort them on disk: half the speed, and no row before the last is found. The pool resets this.
            await using var command = new NpgsqlCommand("set enable_sort = off; set jit = off", connection);
            await command.ExecuteNonQueryAsync(cancellation);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private static MapOpened? Generation(NpgsqlDataReader reader)
    {
        if (reader.IsDBNull(6))
            return null;
        var opened = (MapOpened)NoteCodec.Read(EventKind.MapOpened, reader.GetFieldValue<byte[]>(6));
        return reader.IsDBNull(7) ? opened : ((MapMoved)NoteCodec.Read(EventKind.MapMoved, reader.GetFieldValue<byte[]>(7))).Of(opened);
    }

    private static StreamHead Head(NpgsqlDataReader reader)
    {
        var stream = StreamName.Parse(reader.GetString(0));
        if (reader.IsDBNull(1))
            return StreamHead.Empty(stream);
        var kind = EventNames.Kind(reader.GetString(3));
        ChangeHeader? change = kind.IsChange() ? Header(reader.GetFieldValue<byte[]>(5)) : null;
        return new StreamHead(
            stream, new StreamVersion(reader.GetInt64(1)), reader.GetFieldValue<DateTimeOffset>(2), kind,
            change?.Epoch ?? new Epoch(reader.IsDBNull(4) ? 0 : reader.GetInt32(4)), change);
    }

    private static ChangeHeader Header(byte[] fixedPart) => ChangePayload.ReadHeader(fixedPart);

    private async Task<T> Try<T>(string doing, Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception e) when (LogException.Explains(e))
        {
            throw LogException.From(doing, store, e);
        }
    }
}
