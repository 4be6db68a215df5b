using System.Globalization;
using Maplog.Log;

namespace Maplog.Benchmarks.Pipelines;

/// <summary>What changes cost on Postgres' disk.</summary>
/// <param name="Kept">Bytes of the events, their indexes and the index of keys.</param>
/// <param name="Written">Bytes of write-ahead log since the server's start.</param>
/// <param name="Pages">Of these, whole pages: each page's first change after a checkpoint.</param>
internal sealed record DiskUse(long Kept, long Written, long Pages)
{
    public static async Task<DiskUse> ReadAsync(LogStore store, CancellationToken cancellation)
    {
        await using var command = store.Database.CreateCommand($"""
            select (select sum(pg_total_relation_size(inhrelid)) from pg_inherits where inhparent = '{store.Schema}.mt_events'::regclass)::bigint + pg_total_relation_size('{store.AuditSchema}.key_index'),
                   wal_bytes::bigint, wal_fpi from pg_stat_wal
            """);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return new DiskUse(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2));
    }

    public string Since(DiskUse before, long changes) => string.Create(CultureInfo.InvariantCulture,
        $"{(double)(Kept - before.Kept) / changes:0} bytes kept, {(double)(Written - before.Written) / changes:0} bytes of write-ahead log, {(double)(Pages - before.Pages) / changes:0.000} whole pages in it");
}
