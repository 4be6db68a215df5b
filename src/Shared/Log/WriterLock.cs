using Npgsql;

namespace Maplog.Log;

/// <summary>
/// Says who may try to write a source: a session-level advisory lock in Postgres, held as long as its connection lives.
/// It keeps two daemons from getting in each other's way; what keeps the log right if both believe they hold it is the
/// unique (stream, version).
/// </summary>
public sealed class WriterLock : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;

    private WriterLock(NpgsqlConnection connection) => _connection = connection;

    /// <returns>Null: another writer has it.</returns>
    /// <exception cref="LogException">The log cannot be reached.</exception>
    public static async Task<WriterLock?> TryTakeAsync(LogStore store, string source, CancellationToken cancellation = default)
    {
        NpgsqlConnection? connection = null;
        try
        {
            connection = await store.Database.OpenConnectionAsync(cancellation);
            await using var command = new NpgsqlCommand("select pg_try_advisory_lock(hashtextextended('maplog.writer/' || $1, 0))", connection);
            command.Parameters.Add(new() { Value = source });
            if ((bool)(await command.ExecuteScalarAsync(cancellation))!)
                return new WriterLock(connection);
            await connection.DisposeAsync();
            return null;
        }
        catch (Exception e) when (LogException.Explains(e))
        {
            if (connection is not null)
                await connection.DisposeAsync();
            throw LogException.From($"Asking to be the writer of source {source}", store, e);
        }
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
