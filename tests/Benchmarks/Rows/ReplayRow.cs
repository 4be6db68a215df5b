using Maplog.Snapshots;

namespace Maplog.Benchmarks.Rows;

/// <summary>The map as it is at the end of all events, without a snapshot, into a pinned map.</summary>
internal sealed class ReplayRow : IRow
{
    public string Name => "replay";

    public async Task<IReadOnlyList<Figure>> RunAsync(Bench bench, CancellationToken cancellation)
    {
        var log = await bench.FilledAsync(cancellation);
        await using (var drop = log.Store.Database.CreateCommand($"delete from {log.Store.Schema}.snapshots"))
            await drop.ExecuteNonQueryAsync(cancellation);
        var fold = await new StreamHistory(log.Store).ReadAsync(FilledLog.Stream, cancellation: cancellation);
        var bare = new BareMap(fold.Entries);
        var times = await bench.MediansAsync(
            async () =>
            {
                await ReadAsync(log, cancellation);
                bare.Write(bench.NewPin(), bench.Sizes);
            },
            () => MapCommand.RunAsync(log.Connection, "replay", $"{FilledLog.Stream}", "--version", $"{log.Head}", "--into", bench.NewPin(), "--pin-root", bench.NewPins()));
        return [Figure.Compared(Name, times[1], times[0], "s", "the same events read with a bare Npgsql reader, and the result written with batch updates", times[1] / times[0], 2, 1.5)];
    }

    private static async Task ReadAsync(FilledLog log, CancellationToken cancellation)
    {
        await using var command = log.Store.Database.CreateCommand(
            $"select version, timestamp, type, bdata from {log.Store.Schema}.mt_events where tenant_id = '{FilledLog.Stream.Source}' and stream_id = '{FilledLog.Stream}' order by version");
        command.CommandTimeout = 0;
        await using var reader = await command.ExecuteReaderAsync(System.Data.CommandBehavior.SequentialAccess, cancellation);
        var payload = new byte[4096];
        long bytes = 0;
        while (await reader.ReadAsync(cancellation))
        {
            _ = reader.GetInt64(0);
            _ = reader.GetDateTime(1);
            _ = reader.GetString(2);
            if (!reader.IsDBNull(3))
                bytes += reader.GetBytes(3, 0, payload, 0, payload.Length);
        }
    }
}
