using System.Diagnostics;
using Maplog.Log;
using Npgsql;
using NpgsqlTypes;

namespace Maplog.Benchmarks.Rows;

/// <summary>The least that keeping changes in Postgres could cost: what a change tells, a column each, by binary COPY into a table with one index.</summary>
internal sealed class BareTable(LogStore store)
{
    private const int Batch = 5000;

    private readonly byte[] _key = new byte[Sizes.KeySize], _value = new byte[Sizes.ValueSize];
    private readonly Random _dice = new(1);
    private long _version;

    public async Task MakeAsync(CancellationToken cancellation)
    {
        await using var make = store.Database.CreateCommand("""
            create table bare (version bigint primary key, at timestamptz, kind smallint, origin smallint, cpu smallint, tgid int, comm text, kernel_time bigint, ring_position bigint, key bytea, value bytea)
            """);
        await make.ExecuteNonQueryAsync(cancellation);
    }

    /// <returns>Changes a second.</returns>
    public async Task<double> CopyAsync(TimeSpan duration, int entries, CancellationToken cancellation)
    {
        var (began, first) = (Stopwatch.GetTimestamp(), _version);
        await using var connection = await store.Database.OpenConnectionAsync(cancellation);
        while (Stopwatch.GetElapsedTime(began) < duration)
        {
            // A transaction of its own, as the log's batches are.
            await using var copy = await connection.BeginBinaryImportAsync("copy bare from stdin (format binary)", cancellation);
            for (var i = 0; i < Batch; i++)
                await AddAsync(copy, entries, cancellation);
            await copy.CompleteAsync(cancellation);
        }
        return (_version - first) / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private async Task AddAsync(NpgsqlBinaryImporter copy, int entries, CancellationToken cancellation)
    {
        _version++;
        Changes.Key(_key, _dice.Next(entries));
        await copy.StartRowAsync(cancellation);
        await copy.WriteAsync(_version, NpgsqlDbType.Bigint, cancellation);
        await copy.WriteAsync(DateTime.UnixEpoch.AddMicroseconds(_version), NpgsqlDbType.TimestampTz, cancellation);
        await copy.WriteAsync((short)2, NpgsqlDbType.Smallint, cancellation);
        await copy.WriteAsync((short)1, NpgsqlDbType.Smallint, cancellation);
        await copy.WriteAsync((short)1, NpgsqlDbType.Smallint, cancellation);
        await copy.WriteAsync(4711, NpgsqlDbType.Integer, cancellation);
        await copy.WriteAsync("ct_mon", NpgsqlDbType.Text, cancellation);
        await copy.WriteAsync(_version * 1000, NpgsqlDbType.Bigint, cancellation);
        await copy.WriteAsync(_version * 192, NpgsqlDbType.Bigint, cancellation);
        await copy.WriteAsync(_key, NpgsqlDbType.Bytea, cancellation);
        await copy.WriteAsync(_value, NpgsqlDbType.Bytea, cancellation);
    }
}
