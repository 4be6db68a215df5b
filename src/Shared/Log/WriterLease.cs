using Maplog.Events;
using Npgsql;

namespace Maplog.Log;

/// <summary>
/// The lease on a source: which node's daemon may write it, for how long, and who shall be next. It says who may try; what
/// keeps the log right if two believe that they hold it is the unique (stream, version). Postgres' clock is the only one.
/// </summary>
public sealed class WriterLease(LogStore store, string source)
{
    /// <summary>A lease that is not renewed runs out after this.</summary>
    public static readonly TimeSpan Term = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Takes the lease, if it is this node's and nobody has it; then a new epoch has begun.
    /// </summary>
    /// <param name="node">This node.</param>
    /// <param name="holder">This daemon: no other, before or after, is called the same.</param>
    /// <param name="dead">A holder that is known to have ended, whose lease need not run out first; or null.</param>
    /// <param name="latest">The greatest epoch that the log knows.</param>
    /// <param name="cancellation">Ends the asking.</param>
    /// <returns>Its epoch; null: it cannot be had, <see cref="ReadAsync"/> says who has it.</returns>
    public async Task<Epoch?> TryTakeAsync(string node, string holder, string? dead, Epoch latest, CancellationToken cancellation = default) =>
        await OneAsync<Epoch?>($"Taking the lease on source {source}", $"""
            insert into {store.Schema}.writers as w (source, node, epoch, holder, since, until)
            values ($1, $2, $5 + 1, $3, clock_timestamp(), clock_timestamp() + $6)
            on conflict (source) do update
                set epoch = greatest(w.epoch, $5) + 1, holder = excluded.holder, since = excluded.since, until = excluded.until, successor = null
                where w.node = excluded.node and (w.successor is null or w.successor = w.node)
                    and (w.holder is null or w.until <= clock_timestamp() or w.holder = $4)
            returning w.epoch
            """, reader => new Epoch(reader.GetInt32(0)), cancellation, source, node, holder, (object?)dead ?? DBNull.Value, latest.Value, Term);

    /// <summary>Takes over from another node that a promotion has asked to give way, once it has.</summary>
    /// <returns>The new epoch; null: it is not this node's turn, or not yet.</returns>
    public async Task<Epoch?> TrySucceedAsync(string node, string holder, Epoch latest, CancellationToken cancellation = default) =>
        await OneAsync<Epoch?>($"Taking over the lease on source {source}", $"""
            update {store.Schema}.writers w
            set node = $2, epoch = greatest(w.epoch, $4) + 1, holder = $3, since = clock_timestamp(), until = clock_timestamp() + $5, successor = null
            where w.source = $1 and w.successor = $2 and (w.holder is null or w.until <= clock_timestamp())
            returning w.epoch
            """, reader => new Epoch(reader.GetInt32(0)), cancellation, source, node, holder, latest.Value, Term);

    /// <summary>Keeps everybody from writing for a moment, while nobody does; no epoch begins. <see cref="ReleaseAsync"/> ends it.</summary>
    /// <returns>False: somebody writes.</returns>
    public async Task<bool> TryPauseAsync(string holder, CancellationToken cancellation = default) =>
        await ReadAsync(cancellation) is null || await OneAsync<object>($"Holding the lease on source {source}", $"""
            update {store.Schema}.writers set holder = $2, until = clock_timestamp() + $3
            where source = $1 and (holder is null or until <= clock_timestamp()) returning true
            """, reader => reader.GetBoolean(0), cancellation, source, holder, Term) is not null;

    /// <summary>Holds on to it.</summary>
    /// <param name="holder">Who has it.</param>
    /// <param name="troubles">What keeps it from being ready, sentences.</param>
    /// <param name="cancellation">Ends the asking.</param>
    /// <returns>The row; null: another has it.</returns>
    public async Task<WriterRow?> RenewAsync(string holder, IReadOnlyList<string> troubles, CancellationToken cancellation = default) =>
        await OneAsync<WriterRow?>($"Renewing the lease on source {source}", $"""
            update {store.Schema}.writers set until = clock_timestamp() + $3, troubles = $4 where source = $1 and holder = $2 returning {Columns}
            """, Row, cancellation, source, holder, Term, troubles.ToArray());

    /// <summary>
    /// Ends sessions that hold up a commit to this log in the middle of a commit of their own: of a writer before that hangs, for
    /// Postgres waits for a client that sends a COPY for ever. Only the holder of the lease may: who it holds up is nobody's writer.
    /// </summary>
    /// <returns>Whether there were any.</returns>
    public async Task<bool> EndPredecessorAsync(string holder, CancellationToken cancellation = default) =>
        await OneAsync($"Ending the session that blocks the writer of source {source}", $"""
            with copying as materialized (
                select pid, wait_event_type = 'Lock' as waits from pg_stat_activity
                where datname = current_database() and usename = current_user and starts_with(query, $3)
                    and exists (select from {store.Schema}.writers where source = $1 and holder = $2 and until > clock_timestamp())),
            hanging as materialized (
                select pid from copying where pid in (select unnest(pg_blocking_pids(pid)) from copying where waits))
            select count(*) filter (where pg_terminate_backend(pid)) > 0 from hanging
            """, reader => reader.GetBoolean(0), cancellation, source, holder, $"COPY {store.Schema}.mt_events");

    /// <summary>Gives it back: the next need not wait until it runs out.</summary>
    /// <param name="holder">Who has it.</param>
    /// <param name="isWhole">Whether all that was recorded is logged, and nothing is recorded any more.</param>
    /// <param name="cancellation">Ends the asking.</param>
    public Task ReleaseAsync(string holder, bool isWhole = false, CancellationToken cancellation = default) =>
        DoAsync($"Giving back the lease on source {source}", $"update {store.Schema}.writers set holder = null, until = clock_timestamp(), whole = $3 where source = $1 and holder = $2", cancellation, source, holder, isWhole);

    /// <returns>Null: nobody has ever written it.</returns>
    public async Task<WriterRow?> ReadAsync(CancellationToken cancellation = default) =>
        await OneAsync<WriterRow?>($"Reading who writes source {source}", $"select {Columns} from {store.Schema}.writers where source = $1", Row, cancellation, source);

    /// <summary>Whether a writer renewed it lately on the server that answers: only then is that server known to be the one that is written to.</summary>
    /// <param name="within">How lately; a writer renews every two seconds.</param>
    /// <param name="cancellation">Ends the asking.</param>
    public async Task<bool> IsRenewedAsync(TimeSpan within, CancellationToken cancellation = default) =>
        await OneAsync<object>($"Reading the lease on source {source}", $"""
            select true from {store.Schema}.writers where source = $1 and holder is not null and until > clock_timestamp() + $2
            """, reader => reader.GetBoolean(0), cancellation, source, Term - within) is not null;

    /// <summary>Asks the writer to give way to another node.</summary>
    /// <returns>False: it is asked already to give way to a third.</returns>
    public async Task<bool> RequestAsync(string node, CancellationToken cancellation = default) =>
        await OneAsync<object>($"Asking for the promotion of {node}", $"""
            update {store.Schema}.writers set successor = $2 where source = $1 and (successor is null or successor = $2) returning true
            """, reader => reader.GetBoolean(0), cancellation, source, node) is not null;

    /// <summary>Gives a source to a node, whoever has it: that one is refused at its next commit.</summary>
    public Task AssignAsync(string node, CancellationToken cancellation = default) =>
        DoAsync($"Giving source {source} to {node}", $"""
            insert into {store.Schema}.writers as w (source, node, epoch, since, until) values ($1, $2, 0, clock_timestamp(), clock_timestamp())
            on conflict (source) do update set node = excluded.node, holder = null, until = excluded.until, successor = null, whole = false
            """, cancellation, source, node);

    /// <summary>Takes the request back, if it has not been answered.</summary>
    public Task WithdrawAsync(string node, CancellationToken cancellation = default) =>
        DoAsync($"Withdrawing the promotion of {node}", $"update {store.Schema}.writers set successor = null where source = $1 and successor = $2", cancellation, source, node);

    /// <summary>A standby writer tells of itself.</summary>
    public Task TellAsync(string node, string holder, long? behind, string? problem, CancellationToken cancellation = default) =>
        DoAsync($"Recording the standby writer of source {source}", $"""
            insert into {store.Schema}.standby_writers (source, node, holder, behind, problem, seen) values ($1, $2, $3, $4, $5, clock_timestamp())
            on conflict (source, node) do update set holder = excluded.holder, behind = excluded.behind, problem = excluded.problem, seen = excluded.seen
            """, cancellation, source, node, holder, (object?)behind ?? DBNull.Value, (object?)problem ?? DBNull.Value);

    /// <summary>It waits no longer.</summary>
    public Task LeaveAsync(string node, string holder, CancellationToken cancellation = default) =>
        DoAsync($"Removing the standby writer of source {source}", $"delete from {store.Schema}.standby_writers where source = $1 and node = $2 and holder = $3", cancellation, source, node, holder);

    /// <returns>Null: none is known on that node.</returns>
    public async Task<StandbyWriterRow?> ReadStandbyAsync(string node, CancellationToken cancellation = default) =>
        await OneAsync<StandbyWriterRow?>($"Reading the standby writer of source {source} on {node}", $"""
            select source, node, behind, problem, clock_timestamp() - seen from {store.Schema}.standby_writers where source = $1 and node = $2
            """, reader => new StandbyWriterRow(
                reader.GetString(0), reader.GetString(1), reader.IsDBNull(2) ? null : reader.GetInt64(2), reader.IsDBNull(3) ? null : reader.GetString(3), reader.GetFieldValue<TimeSpan>(4)),
            cancellation, source, node);

    private const string Columns = "source, node, epoch, holder, since, until > clock_timestamp(), successor, whole";

    private static WriterRow Row(NpgsqlDataReader reader) => new(
        reader.GetString(0), reader.GetString(1), new Epoch(reader.GetInt32(2)), reader.IsDBNull(3) ? null : reader.GetString(3),
        reader.GetFieldValue<DateTimeOffset>(4), reader.GetBoolean(5), reader.IsDBNull(6) ? null : reader.GetString(6), reader.GetBoolean(7));

    private Task<object?> DoAsync(string doing, string sql, CancellationToken cancellation, params object[] values) =>
        OneAsync<object>(doing, sql, _ => new object(), cancellation, values);

    private async Task<T?> OneAsync<T>(string doing, string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellation, params object[] values)
    {
        try
        {
            await using var command = store.Database.CreateCommand(sql);
            foreach (var value in values)
                command.Parameters.Add(Parameter(value));
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            return await reader.ReadAsync(cancellation) ? read(reader) : default;
        }
        catch (Exception e) when (LogException.Explains(e))
        {
            throw LogException.From(doing, store, e);
        }
    }

    private static NpgsqlParameter Parameter(object value) => value switch
    {
        DBNull => new() { Value = value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Unknown },
        _ => new() { Value = value },
    };
}
