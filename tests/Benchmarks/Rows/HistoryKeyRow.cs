using Maplog.Capture;
using Maplog.Capture.Keeping;
using Maplog.Log;
using Maplog.Servers;

namespace Maplog.Benchmarks.Rows;

/// <summary>The history of one key among all events of the stream, by the index of keys that the daemon fills: the plan may scan neither events nor index.</summary>
internal sealed class HistoryKeyRow : IRow
{
    public string Name => "history-key";

    public async Task<IReadOnlyList<Figure>> RunAsync(Bench bench, CancellationToken cancellation)
    {
        var log = await bench.FilledAsync(cancellation);
        await new IndexFill(log.Store, new CaptureOptions { Source = FilledLog.Stream.Source, IndexRate = 10_000_000 }, () => 0, TimeProvider.System).FillAsync(cancellation);
        await using (var analyze = log.Store.Database.CreateCommand($"vacuum analyze {log.Store.AuditSchema}.key_index"))
        {
            analyze.CommandTimeout = 0;
            await analyze.ExecuteNonQueryAsync(cancellation);
        }
        var key = new byte[Sizes.KeySize];
        Changes.Key(key, bench.Sizes.Entries / 2);
        var plan = await QueryPlan.OfAsync(log.Store.Database, $"select * from {log.Store.AuditSchema}.key_events($1, $2, 1)", [$"{FilledLog.Stream}", key], cancellation: cancellation);
        if (plan.Contains("Seq Scan on mt_events", StringComparison.Ordinal) || plan.Contains("Seq Scan on key_index", StringComparison.Ordinal) || !plan.Contains("key_index_pkey", StringComparison.Ordinal))
            throw new InvalidOperationException($"A key's history is not read by the index of keys:\n{plan}");
        var found = 0;
        var times = await bench.MediansAsync(
            () => ScanAsync(log, key, cancellation),
            async () => found = (await new AuditReader(log.Store).ReadKeyAsync(FilledLog.Stream, key, 1, cancellation)).Count);
        Console.Error.WriteLine($"  {found} events of the key among {bench.Sizes.Events}\n{plan}");
        return [Figure.Compared(Name, times[1] * 1e3, times[0] * 1e3, "ms", "the same events found by looking at each", times[1] / times[0], 0.1, 0.01)];
    }

    private static async Task ScanAsync(FilledLog log, byte[] key, CancellationToken cancellation)
    {
        await using var scan = log.Store.Database.CreateCommand(
            $"select version, timestamp, type, bdata from {log.Store.Schema}.mt_events where tenant_id = '{FilledLog.Stream.Source}' and stream_id = '{FilledLog.Stream}' and bdata is not null and {log.Store.Schema}.change_key(bdata) = $1");
        scan.CommandTimeout = 0;
        scan.Parameters.Add(new() { Value = key });
        await scan.ExecuteNonQueryAsync(cancellation);
    }
}
