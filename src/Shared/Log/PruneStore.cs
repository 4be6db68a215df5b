using Maplog.Events;
using Npgsql;

namespace Maplog.Log;

/// <summary>The admin's functions in the log's database by which old events go, and the orders to a running writer. See migrations/0004_snapshots.sql.</summary>
public sealed class PruneStore(LogStore store)
{
    /// <summary>Parts in which the index of keys is cleaned.</summary>
    public const int Parts = 64;

    /// <summary>Who this login is, for the record.</summary>
    public Task<string> WhoAsync(CancellationToken cancellation = default) => ScalarAsync<string>("Asking who this login is", "select session_user::text", [], cancellation);

    /// <summary>Refuses who could write the record, and then not delete.</summary>
    /// <exception cref="LogException">This login may not prune.</exception>
    public async Task RequireAsync(CancellationToken cancellation = default)
    {
        if (!await ScalarAsync<bool>("Asking whether this login may prune", $"select has_function_privilege('{store.Schema}.prune_events(text, integer)', 'execute')", [], cancellation))
            throw new LogException($"'{await WhoAsync(cancellation)}' may not prune {store.Place}: this needs the role maplog_admin.");
    }

    /// <summary>Asks the running writer of a source to write a prune record.</summary>
    /// <returns>The order's number.</returns>
    public Task<long> OrderAsync(StreamName stream, Pruned record, CancellationToken cancellation = default) => ScalarAsync<long>(
        $"Ordering the prune record of {stream}",
        $"insert into {store.Schema}.prune_orders (source, stream, note) values ($1, $2, convert_from($3, 'UTF8')::jsonb) returning number",
        [stream.Source, stream.ToString(), NoteCodec.Write(record)], cancellation);

    public Task<long> WithdrawAsync(long order, CancellationToken cancellation = default) => ScalarAsync<long>(
        "Withdrawing an order of a prune record", $"with gone as (delete from {store.Schema}.prune_orders where number = $1 returning 1) select count(*) from gone", [order], cancellation);

    /// <summary>What a source's writer is asked for.</summary>
    public async Task<IReadOnlyList<(long Number, StreamName Stream, Pruned Record)>> ReadOrdersAsync(string source, CancellationToken cancellation = default)
    {
        return await Try($"Reading the prune orders of source {source}", async () =>
        {
            await using var command = store.Database.CreateCommand($"select number, stream, convert_to(note::text, 'UTF8') from {store.Schema}.prune_orders where source = $1 order by number");
            command.Parameters.Add(new() { Value = source });
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            var orders = new List<(long, StreamName, Pruned)>();
            while (await reader.ReadAsync(cancellation))
                orders.Add((reader.GetInt64(0), StreamName.Parse(reader.GetString(1)), (Pruned)NoteCodec.Read(EventKind.Pruned, reader.GetFieldValue<byte[]>(2))));
            return orders;
        });
    }

    /// <summary>Deletes events that the stream's prune record names, the oldest first.</summary>
    /// <param name="stream">Which stream.</param>
    /// <param name="most">So many at most.</param>
    /// <param name="cancellation">Ends it; nothing of this call is deleted then.</param>
    /// <returns>How many; 0: no more is to go.</returns>
    public Task<long> DeleteAsync(StreamName stream, int most, CancellationToken cancellation = default) =>
        ScalarAsync<long>($"Pruning {stream}", $"select {store.Schema}.prune_events($1, $2)", [stream.ToString(), most], cancellation);

    /// <summary>Drops what the index of keys has of pruned events, one of <see cref="Parts"/> a call, and older snapshots.</summary>
    public Task<long> ForgetAsync(StreamName stream, int part, CancellationToken cancellation = default) =>
        ScalarAsync<long>($"Cleaning the index of keys of {stream}", $"select {store.AuditSchema}.forget_pruned($1, $2)", [stream.ToString(), part], cancellation);

    private Task<T> ScalarAsync<T>(string doing, string sql, object[] parameters, CancellationToken cancellation)
    {
        return Try(doing, async () =>
        {
            await using var command = store.Database.CreateCommand(sql);
            command.CommandTimeout = 0;
            foreach (var parameter in parameters)
                command.Parameters.Add(new NpgsqlParameter { Value = parameter });
            return (T)(await command.ExecuteScalarAsync(cancellation))!;
        });
    }

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
