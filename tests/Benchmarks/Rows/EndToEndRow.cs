using System.Globalization;
using Maplog.Benchmarks.Pipelines;

namespace Maplog.Benchmarks.Rows;

/// <summary>From bpf(2) calls to the replica's map, the ring kept full, against a binary COPY of the same changes into a bare table.</summary>
internal sealed class EndToEndRow : IRow
{
    public string Name => "end-to-end";

    public async Task<IReadOnlyList<Figure>> RunAsync(Bench bench, CancellationToken cancellation)
    {
        var log = await bench.MakeLogAsync(cancellation);
        var bare = new BareTable(log);
        await bare.MakeAsync(cancellation);
        var turn = TimeSpan.FromSeconds(bench.Sizes.AppendSeconds);
        await bare.CopyAsync(turn, bench.Sizes.Replicated, cancellation);
        var before = await bare.CopyAsync(turn, bench.Sizes.Replicated, cancellation);
        var flow = await Flow.MeasureAsync(bench, log, new Work(1, bench.Sizes.Replicated, bench.Sizes.EndToEndSeconds), cancellation);
        var after = await bare.CopyAsync(turn, bench.Sizes.Replicated, cancellation);
        bench.EndToEnd = flow.Rate;
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  COPY before {before:0}, after {after:0} a second"));
        var copy = (before + after) / 2;
        var third = flow.Resident.Count / 3;
        double second = flow.Resident.Skip(third).Take(Math.Max(third, 1)).Average() / 1048576, last = flow.Resident.TakeLast(Math.Max(third, 1)).Average() / 1048576;
        return
        [
            Figure.Plain($"{Name}/rate", flow.Rate, "changes/s", 50_000, 100_000),
            Figure.Compared(Name, flow.Rate, copy, "changes/s", "a binary COPY of the same into a bare table with one index", flow.Rate / copy, 0.22, 0.45),
            Figure.Compared($"{Name}/memory", last, second, "MiB", "both daemons in the second third of the time, against the last", last / second, 1.05, 1.01),
        ];
    }
}
