using Maplog.Events;
using Npgsql;
using NpgsqlTypes;

namespace Maplog.Log;

/// <summary>What an operator asks the log: who writes, what went unseen, how the replicas stand. By plain SQL, from anywhere.</summary>
public sealed class StatusReader(LogStore store)
{
    /// <summary>Postgres' clock, by which replicas are seen.</summary>
    public Task<DateTimeOffset> ReadTimeAsync(CancellationToken cancellation = default) => Try("Asking the time of the log", async () =>
    {
        await using var command = store.Database.CreateCommand("select now()");
        return new DateTimeOffset((DateTime)(await command.ExecuteScalarAsync(cancellation))!);
    });

    /// <summary>The sources and the latest term of each, by name.</summary>
    /// <param name="source">Only this one; null: all.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public Task<IReadOnlyList<SourceStatus>> ReadSourcesAsync(string? source = null, CancellationToken cancellation = default) => ReadAsync(
        "Reading the sources", $"""
        select p.partition_value, coalesce(t.epoch, 0), t.node, t.since, w.node, coalesce(w.holder is not null and w.until > clock_timestamp(), false),
            array(select b.node from {store.Schema}.standby_writers b where b.source = p.partition_value and b.seen > clock_timestamp() - interval '10 s' order by 1),
            case when w.holder is not null and w.until > clock_timestamp() then w.troubles else array[]::text[] end
        from {store.Schema}.mt_tenant_partitions p
        left join {store.Schema}.writers w on w.source = p.partition_value
        left join lateral (
            select (e.data->>'epoch')::int as epoch, e.data->>'node' as node, case when e.data->>'startedAt' >= '1970' then (e.data->>'startedAt')::timestamptz else e.timestamp end as since
            from {store.Schema}.mt_events e where e.tenant_id = p.partition_value and e.type = 'epoch_started' and e.bdata is null
            order by (e.data->>'epoch')::int desc, e.timestamp limit 1) t on true
        where $1::text is null or p.partition_value = $1 order by 1
        """, source, null,
        row => new SourceStatus(row.GetString(0), new Epoch(row.GetInt32(1)), row.IsDBNull(2) ? null : row.GetString(2), row.IsDBNull(3) ? null : row.GetFieldValue<DateTimeOffset>(3),
            row.IsDBNull(4) ? null : row.GetString(4), row.GetBoolean(5), row.GetFieldValue<string[]>(6), row.GetFieldValue<string[]>(7)), cancellation);

    /// <summary>The gaps that were logged within a time, by stream and reason.</summary>
    /// <param name="source">Only of this source; null: of all.</param>
    /// <param name="within">How far back, by Postgres' clock.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public Task<IReadOnlyList<GapSummary>> ReadGapsAsync(string? source, TimeSpan within, CancellationToken cancellation = default) => ReadAsync(
        "Reading the gaps", $"""
        select s.id, g.reason, count(*), sum(g.lost)::bigint from {store.Schema}.mt_streams s
        join lateral (
            select e.data->>'reason' as reason, greatest((e.data->>'count')::bigint, 0) as lost
            from {store.Schema}.mt_events e
            where e.tenant_id = s.tenant_id and e.type = 'gap_found' and e.stream_id = s.id and e.bdata is null and e.timestamp > now() - $2) g on true
        where $1::text is null or s.tenant_id = $1 group by 1, 2 order by 1, 2
        """, source, within,
        row => new GapSummary(StreamName.Parse(row.GetString(0)), row.GetString(1), row.GetInt64(2), row.GetInt64(3)), cancellation);

    /// <summary>
    /// The replicas that report, or did until they were gone, by stream, node and pin. One that was gone while it waited for a
    /// stream that the log does not have is left out, because it never was a replica; so is one whose pin another replica of its
    /// node has taken over.
    /// </summary>
    /// <param name="source">Only of this source; null: of all.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public Task<IReadOnlyList<ReplicaRow>> ReadReplicasAsync(string? source = null, CancellationToken cancellation = default) => ReadAsync(
        "Reading the replicas", $"""
        select source, map, node, pin, map_id, boot_id, epoch, version, head, lag_versions, lag_seconds, state, trouble, from_log, from_bus, repaired, started_at, seen_at, clock_timestamp() - seen_at
        from {store.Schema}.replicas r where ($1::text is null or source = $1)
            and not (seen_at < clock_timestamp() - $2 and (state = 'waiting' and map_id = 0 and version = 0
                or exists (select from {store.Schema}.replicas n where n.node = r.node and n.pin = r.pin and n.seen_at > r.seen_at + $2)))
        order by source, map, node, pin
        """, source, ReplicaRow.GoneAfter, Replica, cancellation);

    /// <summary>The hosts that write a source, stand by for one or have replicas, by name.</summary>
    public Task<IEnumerable<string>> ReadNodesAsync(CancellationToken cancellation = default) => Try("Listing the nodes", async () =>
    {
        await using var command = store.Database.CreateCommand(
            $"select node from {store.Schema}.writers union select node from {store.Schema}.standby_writers union select node from {store.Schema}.replicas order by 1");
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var nodes = new List<string>();
        while (await reader.ReadAsync(cancellation))
            nodes.Add(reader.GetString(0));
        return nodes.AsEnumerable();
    });

    /// <summary>Forgets the replicas of a host that will not come back.</summary>
    /// <returns>How many; those that still report stay.</returns>
    /// <exception cref="LogException">The log cannot be reached, or it takes the rights of the schema's owner.</exception>
    public Task<long> ForgetAsync(string node, CancellationToken cancellation = default) => Try($"Forgetting the replicas of {node}", async () =>
    {
        await using var command = store.Database.CreateCommand($"select {store.Schema}.forget_replicas($1, $2)");
        command.Parameters.Add(new() { Value = node });
        command.Parameters.Add(new() { Value = ReplicaRow.GoneAfter });
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    });

    private static ReplicaRow Replica(NpgsqlDataReader row) => new(
        new StreamName(row.GetString(0), row.GetString(1)), row.GetString(2), row.GetString(3), (uint)row.GetInt64(4), row.GetString(5),
        new Epoch(row.GetInt32(6)), new StreamVersion(row.GetInt64(7)), new StreamVersion(row.GetInt64(8)),
        row.IsDBNull(9) ? null : row.GetInt64(9), row.IsDBNull(10) ? null : TimeSpan.FromSeconds(row.GetDouble(10)), row.GetString(11), row.IsDBNull(12) ? null : row.GetString(12))
    {
        FromLog = row.GetInt64(13),
        FromBus = row.GetInt64(14),
        Repaired = row.GetInt64(15),
        StartedAt = row.GetFieldValue<DateTimeOffset>(16),
        SeenAt = row.GetFieldValue<DateTimeOffset>(17),
        SeenAgo = row.GetFieldValue<TimeSpan>(18),
    };

    private Task<IReadOnlyList<T>> ReadAsync<T>(string doing, string sql, string? source, TimeSpan? within, Func<NpgsqlDataReader, T> read, CancellationToken cancellation) => Try<IReadOnlyList<T>>(doing, async () =>
    {
        await using var command = store.Database.CreateCommand(sql);
        command.Parameters.Add(new() { Value = (object?)source ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        if (within is { } time)
            command.Parameters.Add(new() { Value = time });
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellation))
            rows.Add(read(reader));
        return rows;
    });

    private async Task<T> Try<T>(string doing, Func<Task<T>> run)
    {
        try
        {
            return await run();
        }
        catch (Exception e) when (LogException.Explains(e))
        {
            throw LogException.From(doing, store, e);
        }
    }
}
