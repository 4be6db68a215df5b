using Maplog.Capture;
using Maplog.Capture.Keeping;
using Maplog.Log;

namespace Maplog.Benchmarks.Rows;

/// <summary>Appends as fast as they go, with the audit's schema and the index of keys filled behind them, against a log without either.</summary>
internal sealed class AppendAuditRow : IRow
{
    public string Name => "append-audit";

    public async Task<IReadOnlyList<Figure>> RunAsync(Bench bench, CancellationToken cancellation)
    {
        var plain = await bench.MakeLogAsync(cancellation);
        await using (var strip = plain.Database.CreateCommand($"drop trigger maplog_append_only on {plain.Schema}.mt_events; drop schema {plain.AuditSchema} cascade"))
            await strip.ExecuteNonQueryAsync(cancellation);
        var audited = await bench.MakeLogAsync(cancellation);
        using var bare = await Appender.OpenAsync(plain, bench.Sizes, cancellation);
        using var full = await Appender.OpenAsync(audited, bench.Sizes, cancellation);
        var options = new CaptureOptions { Source = "lb-1" };
        var (without, with) = (new List<double>(), new List<double>());
        var turn = TimeSpan.FromSeconds(bench.Sizes.AppendSeconds / 2.0);
        // In short turns, because the machine drifts; the fill follows while its log is appended to, and only then.
        for (var round = -1; round < bench.Sizes.Rounds * 2; round++)
        {
            var a = await bare.AppendAsync(turn, cancellation);
            using var following = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var fill = FollowAsync(new IndexFill(audited, options, () => full.Count, TimeProvider.System), following.Token);
            var b = await full.AppendAsync(turn, cancellation);
            await following.CancelAsync();
            await fill;
            Console.Error.WriteLine($"  {round}: {a:0} and {b:0} events/s");
            if (round >= 0)
            {
                without.Add(a);
                with.Add(b);
            }
        }
        var lag = await new AuditReader(audited).ReadLagAsync(cancellation);
        Console.Error.WriteLine($"  indexed to {lag[0].IndexedTo} of {lag[0].Head}");
        return [Figure.Compared(Name, Bench.Median(with), Bench.Median(without), "events/s", "the same appends to a log without audit schema, triggers and index of keys", Bench.Median(without) / Bench.Median(with), 1.25, 1.1)];
    }

    private static async Task FollowAsync(IndexFill fill, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await fill.FillAsync(stop);
                await Task.Delay(IndexFill.LookEvery, stop);
            }
        }
        catch (Exception e) when (stop.IsCancellationRequested && e is OperationCanceledException or LogException)
        {
            // The turn is over.
        }
    }
}
