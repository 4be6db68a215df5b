using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Threading.Channels;
using Maplog.Events;
using Npgsql;
using NpgsqlTypes;

namespace Maplog.Log;

/// <summary>Copies the next entries out, keys and values each end to end; 0: there are no more.</summary>
public delegate int SnapshotFill(Span<byte> keys, Span<byte> values);

/// <summary>Snapshots in the log's database. Any number of readers at a time.</summary>
public sealed class SnapshotStore(LogStore store)
{
    private const int ChunkBytes = 1 << 20, MostInChunk = 1 << 16;

    /// <summary>Chunks in memory while a snapshot is read: enough that neither Postgres nor the map waits for the other.</summary>
    private const int Ahead = 6;

    private const string Columns = """
        stream, version, time, epoch, is_open, opened_version, opened_at, convert_to(opened::text, 'UTF8'),
        term_version, term_at, convert_to(term::text, 'UTF8'), number, entries, chunks, hash, made_at
        """;

    /// <summary>Entries in a chunk of a map of this shape: about 1 MiB, and one at least.</summary>
    public static int Room(MapShape shape) => Math.Clamp(ChunkBytes / (shape.KeySize + shape.ValueBytes), 1, MostInChunk);

    /// <summary>A stream's snapshots up to a version, the newest first.</summary>
    public async Task<IReadOnlyList<Snapshot>> FindAsync(StreamName stream, StreamVersion upTo, int most = 8, CancellationToken cancellation = default)
    {
        return await Try($"Looking for snapshots of {stream}", async () =>
        {
            await using var command = store.Database.CreateCommand(
                $"select {Columns} from {store.Schema}.snapshots where stream = $1 and version <= $2 order by version desc, number desc limit $3");
            command.Parameters.Add(new() { Value = stream.ToString() });
            command.Parameters.Add(new() { Value = upTo.Value });
            command.Parameters.Add(new() { Value = most });
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            var found = new List<Snapshot>();
            while (await reader.ReadAsync(cancellation))
                found.Add(Read(reader));
            return found;
        });
    }

    /// <summary>The entries, chunk by chunk, each verified before it is handed out; the next ones are fetched meanwhile.</summary>
    /// <exception cref="SnapshotDamagedException">It is not what was written; chunks handed out before were.</exception>
    /// <exception cref="LogException">The log cannot be read.</exception>
    public async IAsyncEnumerable<SnapshotChunk> ReadAsync(Snapshot snapshot, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var doing = $"Reading the snapshot of {snapshot.Stream} at version {snapshot.Version}";
        using var left = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var ready = Channel.CreateBounded<SnapshotChunk>(Ahead);
        var free = Channel.CreateUnbounded<SnapshotChunk>();
        for (var i = 0; i < Ahead; i++)
            free.Writer.TryWrite(new SnapshotChunk());
        var fetching = Task.Run(() => Try(doing, async () => await FetchAsync(snapshot, free.Reader, ready.Writer, left.Token)), CancellationToken.None);
        try
        {
            await foreach (var chunk in ready.Reader.ReadAllAsync(cancellation))
            {
                yield return chunk;
                free.Writer.TryWrite(chunk);
            }
            await fetching;
        }
        finally
        {
            await left.CancelAsync();
            await ((Task)fetching).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Writes a snapshot, whole or not at all.</summary>
    /// <param name="snapshot">What it is of.</param>
    /// <param name="fill">Hands its entries out.</param>
    /// <param name="cancellation">Ends it; nothing is written then.</param>
    /// <returns>The same, as it was written.</returns>
    public async Task<Snapshot> WriteAsync(Snapshot snapshot, SnapshotFill fill, CancellationToken cancellation = default)
    {
        return await Try($"Writing a snapshot of {snapshot.Stream} at version {snapshot.Version}", async () =>
        {
            await using var connection = await store.Database.OpenConnectionAsync(cancellation);
            await using var transaction = await connection.BeginTransactionAsync(cancellation);
            await using var numbering = new NpgsqlCommand($"select nextval('{store.Schema}.snapshots_number_seq')", connection);
            var number = (long)(await numbering.ExecuteScalarAsync(cancellation))!;
            var (entries, hashes) = await CopyAsync(connection, number, snapshot.Shape, fill, cancellation);
            var written = snapshot with { Number = number, Entries = entries, Chunks = hashes.Count, Hash = SnapshotHash.Of(snapshot, entries, hashes) };
            await InsertAsync(connection, written, cancellation);
            await transaction.CommitAsync(cancellation);
            return written;
        });
    }

    /// <summary>Keeps a stream's newest snapshots, and the one from which pruned history begins.</summary>
    /// <returns>How many were dropped.</returns>
    public async Task<long> DropAllButAsync(StreamName stream, int keep, CancellationToken cancellation = default)
    {
        return await Try($"Dropping old snapshots of {stream}", async () =>
        {
            await using var command = store.Database.CreateCommand($"select {store.Schema}.drop_snapshots($1, $2)");
            command.Parameters.Add(new() { Value = stream.ToString() });
            command.Parameters.Add(new() { Value = keep });
            return (long)(await command.ExecuteScalarAsync(cancellation))!;
        });
    }

    private async Task<int> FetchAsync(Snapshot snapshot, ChannelReader<SnapshotChunk> free, ChannelWriter<SnapshotChunk> ready, CancellationToken cancellation)
    {
        try
        {
            await using var connection = await store.Database.OpenConnectionAsync(cancellation);
            var hashes = await HashesAsync(connection, snapshot, cancellation);
            await using var rows = await SnapshotRows.OpenAsync(connection, store, snapshot, cancellation);
            for (var i = 0; i < hashes.Count; i++)
            {
                var chunk = await free.ReadAsync(cancellation);
                var hash = await rows.NextAsync(chunk, cancellation);
                if (hash is null || !CryptographicOperations.FixedTimeEquals(hash, hashes[i]))
                    throw new SnapshotDamagedException(snapshot, $"chunk {i} of {hashes.Count} has another hash than the stored hash", store);
                await ready.WriteAsync(chunk, cancellation);
            }
            return hashes.Count;
        }
        finally
        {
            // What went wrong is told by the task: chunks that are ready are handed out first.
            ready.Complete();
        }
    }

    // The whole is held against its hash before any of it is used; a chunk when it comes.
    private async Task<List<byte[]>> HashesAsync(NpgsqlConnection connection, Snapshot snapshot, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"select entries, hash from {store.Schema}.snapshot_chunks where snapshot = $1 order by chunk", connection);
        command.Parameters.Add(new() { Value = snapshot.Number });
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var hashes = new List<byte[]>();
        long entries = 0;
        while (await reader.ReadAsync(cancellation))
        {
            entries += reader.GetInt32(0);
            hashes.Add(reader.GetFieldValue<byte[]>(1));
        }
        if (hashes.Count != snapshot.Chunks || entries != snapshot.Entries)
            throw new SnapshotDamagedException(snapshot, $"it has {entries} entries in {hashes.Count} chunks, and {snapshot.Entries} in {snapshot.Chunks} were written", store);
        if (!CryptographicOperations.FixedTimeEquals(SnapshotHash.Of(snapshot, entries, hashes), snapshot.Hash))
            throw new SnapshotDamagedException(snapshot, "its hash is not the stored hash", store);
        return hashes;
    }

    private async Task<(long Entries, List<byte[]> Hashes)> CopyAsync(NpgsqlConnection connection, long number, MapShape shape, SnapshotFill fill, CancellationToken cancellation)
    {
        var room = Room(shape);
        var keys = new byte[room * shape.KeySize];
        var data = new byte[room * (shape.KeySize + shape.ValueBytes)];
        var hashes = new List<byte[]>();
        long entries = 0;
        await using var copy = await connection.BeginBinaryImportAsync($"copy {store.Schema}.snapshot_chunks (snapshot, chunk, entries, hash, data) from stdin (format binary)", cancellation);
        while (true)
        {
            // The values behind as many keys as there are: the last chunk is not full.
            var count = fill(keys, data.AsSpan(keys.Length));
            if (count == 0)
                break;
            keys.AsSpan(0, count * shape.KeySize).CopyTo(data);
            if (count < room)
                data.AsSpan(keys.Length, count * shape.ValueBytes).CopyTo(data.AsSpan(count * shape.KeySize));
            var chunk = data.AsMemory(0, count * (shape.KeySize + shape.ValueBytes));
            var hash = SHA256.HashData(chunk.Span);
            await copy.StartRowAsync(cancellation);
            await copy.WriteAsync(number, NpgsqlDbType.Bigint, cancellation);
            await copy.WriteAsync(hashes.Count, NpgsqlDbType.Integer, cancellation);
            await copy.WriteAsync(count, NpgsqlDbType.Integer, cancellation);
            await copy.WriteAsync(hash, NpgsqlDbType.Bytea, cancellation);
            await copy.WriteAsync(chunk, NpgsqlDbType.Bytea, cancellation);
            hashes.Add(hash);
            entries += count;
        }
        await copy.CompleteAsync(cancellation);
        return (entries, hashes);
    }

    private async Task InsertAsync(NpgsqlConnection connection, Snapshot snapshot, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"""
            insert into {store.Schema}.snapshots (number, source, stream, version, time, epoch, is_open, opened_version, opened_at, opened,
                term_version, term_at, term, key_size, value_bytes, entries, chunks, hash)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, convert_from($10, 'UTF8')::jsonb, $11, $12, convert_from($13, 'UTF8')::jsonb, $14, $15, $16, $17, $18)
            """, connection);
        var (opened, term) = (snapshot.Opened, snapshot.Term);
        object?[] values =
        [
            snapshot.Number, snapshot.Stream.Source, snapshot.Stream.ToString(), snapshot.Version.Value, snapshot.Time.ToUniversalTime(), snapshot.Epoch.Value, snapshot.IsOpen,
            opened.Version.Value, opened.Time.ToUniversalTime(), NoteCodec.Write(opened.Note),
        ];
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        command.Parameters.Add(new() { Value = (object?)term?.Version.Value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint });
        command.Parameters.Add(new() { Value = (object?)term?.Time.ToUniversalTime() ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        command.Parameters.Add(new() { Value = term is null ? DBNull.Value : NoteCodec.Write(term.Note), NpgsqlDbType = NpgsqlDbType.Bytea });
        foreach (var value in (object[])[snapshot.Shape.KeySize, snapshot.Shape.ValueBytes, snapshot.Entries, snapshot.Chunks, snapshot.Hash])
            command.Parameters.Add(new() { Value = value });
        await command.ExecuteNonQueryAsync(cancellation);
    }

    private static Snapshot Read(NpgsqlDataReader row)
    {
        var opened = new LoggedNote<MapOpened>(new StreamVersion(row.GetInt64(5)), row.GetFieldValue<DateTimeOffset>(6), (MapOpened)NoteCodec.Read(EventKind.MapOpened, row.GetFieldValue<byte[]>(7)));
        var term = row.IsDBNull(8)
            ? null
            : new LoggedNote<EpochStarted>(new StreamVersion(row.GetInt64(8)), row.GetFieldValue<DateTimeOffset>(9), (EpochStarted)NoteCodec.Read(EventKind.EpochStarted, row.GetFieldValue<byte[]>(10)));
        return new Snapshot(
            StreamName.Parse(row.GetString(0)), new StreamVersion(row.GetInt64(1)), row.GetFieldValue<DateTimeOffset>(2), new Epoch(row.GetInt32(3)), row.GetBoolean(4), opened, term)
        {
            Number = row.GetInt64(11),
            Entries = row.GetInt64(12),
            Chunks = row.GetInt32(13),
            Hash = row.GetFieldValue<byte[]>(14),
            MadeAt = row.GetFieldValue<DateTimeOffset>(15),
        };
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
