using System.Text.Json;
using Maplog.Events;
using Npgsql;
using NpgsqlTypes;

namespace Maplog.Log;

/// <summary>The descriptions that operators gave of maps' fields.</summary>
public sealed class DescriptionStore(LogStore store)
{
    /// <summary>Those of a stream. Every role that reads the log may.</summary>
    public Task<IReadOnlyList<StoredDescription>> ReadAsync(StreamName stream, CancellationToken cancellation = default) =>
        Try<IReadOnlyList<StoredDescription>>($"Reading the descriptions of {stream}", async () =>
        {
            await using var command = store.Database.CreateCommand(
                $"select key_size, value_size, own::text, fields::text, described_at, described_by from {store.Schema}.described($1)");
            command.Parameters.Add(new() { Value = stream.ToString() });
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            var found = new List<StoredDescription>();
            while (await reader.ReadAsync(cancellation))
            {
                found.Add(new StoredDescription(
                    reader.GetInt32(0), reader.GetInt32(1), Parse(reader.GetString(2)), Parse(reader.GetString(3)) ?? new MapFields(null, null),
                    reader.GetFieldValue<DateTimeOffset>(4), reader.GetString(5)));
            }
            return found;
        });

    /// <summary>Every life of every map, as the log has it.</summary>
    public Task<IReadOnlyList<(StreamName Stream, MapOpened Map)>> ListMapsAsync(CancellationToken cancellation = default) =>
        Try<IReadOnlyList<(StreamName Stream, MapOpened Map)>>("Listing the maps of the log", async () =>
        {
            await using var command = store.Database.CreateCommand($"""
                select e.stream_id, convert_to(e.data::text, 'UTF8') from {store.Schema}.mt_events e where e.type = 'map_opened' and e.bdata is null
                union all
                select s.stream, convert_to(s.opened::text, 'UTF8') from {store.Schema}.snapshots s
                """);
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            var found = new List<(StreamName, MapOpened)>();
            while (await reader.ReadAsync(cancellation))
                found.Add((StreamName.Parse(reader.GetString(0)), (MapOpened)NoteCodec.Read(EventKind.MapOpened, reader.GetFieldValue<byte[]>(1))));
            return found;
        });

    /// <summary>Keeps a description in the place of the one that was there. Takes the role maplog_admin.</summary>
    /// <param name="stream">Which stream.</param>
    /// <param name="map">The map as the log has it: the description counts for every life that is the same to the log.</param>
    /// <param name="fields">What its fields are; null: there is to be no description but the log's own.</param>
    /// <param name="by">Who says so; null: the role in Postgres.</param>
    /// <param name="cancellation">Ends it; nothing is kept then.</param>
    public Task SaveAsync(StreamName stream, MapOpened map, MapFields? fields, string? by = null, CancellationToken cancellation = default) =>
        Try($"Describing {stream}", async () =>
        {
            await using var connection = await store.Database.OpenConnectionAsync(cancellation);
            await using var transaction = await connection.BeginTransactionAsync(cancellation);
            var own = map.Fields is null ? "null" : JsonSerializer.Serialize(map.Fields.WithoutGuesses(), NoteCodec.Options);
            await using (var forget = new NpgsqlCommand(
                $"delete from {store.AuditSchema}.described where source = $1 and stream = $2 and key_size = $3 and value_size = $4 and own = $5", connection, transaction))
            {
                Add(forget, stream, map, own);
                await forget.ExecuteNonQueryAsync(cancellation);
            }
            if (fields is not null)
            {
                await using var keep = new NpgsqlCommand(
                    $"insert into {store.AuditSchema}.described (source, stream, key_size, value_size, own, fields, described_by) values ($1, $2, $3, $4, $5, $6, coalesce($7, session_user))", connection, transaction);
                Add(keep, stream, map, own);
                keep.Parameters.Add(new() { Value = JsonSerializer.Serialize(fields, NoteCodec.Options), NpgsqlDbType = NpgsqlDbType.Jsonb });
                keep.Parameters.Add(new() { Value = (object?)by ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
                await keep.ExecuteNonQueryAsync(cancellation);
            }
            await transaction.CommitAsync(cancellation);
            return true;
        });

    private static void Add(NpgsqlCommand command, StreamName stream, MapOpened map, string own)
    {
        command.Parameters.Add(new() { Value = stream.Source });
        command.Parameters.Add(new() { Value = stream.ToString() });
        command.Parameters.Add(new() { Value = map.Shape.KeySize });
        command.Parameters.Add(new() { Value = map.Shape.ValueSize });
        command.Parameters.Add(new() { Value = own, NpgsqlDbType = NpgsqlDbType.Jsonb });
    }

    private static MapFields? Parse(string json) => JsonSerializer.Deserialize<MapFields>(json, NoteCodec.Options);

    private async Task<T> Try<T>(string doing, Func<Task<T>> run)
    {
        try
        {
            return await run();
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new LogException($"{doing} failed. {store.Place} does not allow it ({e.MessageText}): this needs the role maplog_admin.", e);
        }
        catch (Exception e) when (LogException.Explains(e))
        {
            throw LogException.From(doing, store, e);
        }
    }
}
