using Maplog.Events;

namespace Maplog.Log;

/// <summary>What the audit schema knows beside the log itself: the index of keys, and how far it is.</summary>
public sealed class AuditReader(LogStore store)
{
    /// <summary>The changes of one key in all lives of its map, with the map_opened events between them, in order. By the index as far as it goes.</summary>
    /// <param name="stream">Which stream.</param>
    /// <param name="key">Key bytes.</param>
    /// <param name="mapType">The kernel's number of the map type: of a trie only the bits within the prefix count.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public async Task<IReadOnlyList<LoggedEvent>> ReadKeyAsync(StreamName stream, byte[] key, int mapType, CancellationToken cancellation = default)
    {
        return await Try($"Reading the history of a key of {stream}", async () =>
        {
            await using var command = store.Database.CreateCommand($"select version, at, type, payload from {store.AuditSchema}.key_events($1, $2, $3) order by version");
            command.Parameters.Add(new() { Value = stream.ToString() });
            command.Parameters.Add(new() { Value = key });
            command.Parameters.Add(new() { Value = mapType });
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            var events = new List<LoggedEvent>();
            while (await reader.ReadAsync(cancellation))
                events.Add(new LoggedEvent(new StreamVersion(reader.GetInt64(0)), reader.GetFieldValue<DateTimeOffset>(1), EventNames.Kind(reader.GetString(2)), reader.GetFieldValue<byte[]>(3)));
            return events;
        });
    }

    /// <summary>How far the index of keys is behind each stream's head.</summary>
    public async Task<IReadOnlyList<IndexLag>> ReadLagAsync(CancellationToken cancellation = default)
    {
        return await Try("Reading the lag of the index of keys", async () =>
        {
            await using var command = store.Database.CreateCommand($"select stream, coalesce(head, 0), indexed_to from {store.AuditSchema}.index_lag order by stream");
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            var lags = new List<IndexLag>();
            while (await reader.ReadAsync(cancellation))
                lags.Add(new IndexLag(StreamName.Parse(reader.GetString(0)), new StreamVersion(reader.GetInt64(1)), new StreamVersion(reader.GetInt64(2))));
            return lags;
        });
    }

    /// <summary>Indexes the next events of a stream, the oldest first.</summary>
    /// <param name="stream">Which stream.</param>
    /// <param name="most">So many at most.</param>
    /// <param name="cancellation">Ends it; nothing of this call is kept then.</param>
    /// <returns>How many; 0: the index is at the head, or somebody else is at it.</returns>
    public async Task<long> IndexKeysAsync(StreamName stream, int most, CancellationToken cancellation = default)
    {
        return await Try($"Indexing the keys of {stream}", async () =>
        {
            await using var command = store.Database.CreateCommand($"select {store.AuditSchema}.index_keys($1, $2)");
            command.CommandTimeout = 0;
            command.Parameters.Add(new() { Value = stream.ToString() });
            command.Parameters.Add(new() { Value = most });
            return (long)(await command.ExecuteScalarAsync(cancellation))!;
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
