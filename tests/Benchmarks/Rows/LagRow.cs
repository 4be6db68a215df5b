using Maplog.Benchmarks.Pipelines;

namespace Maplog.Benchmarks.Rows;

/// <summary>From a write into the kernel's map to its being in the replica's, at a rate.</summary>
internal sealed class LagRow(string name, int rate, Bar? p50, Bar p99) : IRow
{
    public string Name => name;

    public async Task<IReadOnlyList<Figure>> RunAsync(Bench bench, CancellationToken cancellation)
    {
        var log = await bench.MakeLogAsync(cancellation);
        // Calls of ten entries: as a program does that has gathered for a moment.
        var lag = await Lag.MeasureAsync(bench, log, new Work(1, bench.Sizes.Replicated, bench.Sizes.LagSeconds, rate, Batch: 10), cancellation);
        var figures = new List<Figure> { Figure.Plain($"{Name}/p99", lag.P99, "ms", p99.Must, p99.Aim) };
        if (p50 is { } bar)
            figures.Insert(0, Figure.Plain($"{Name}/p50", lag.P50, "ms", bar.Must, bar.Aim));
        return figures;
    }
}
