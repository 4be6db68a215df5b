namespace Maplog.Benchmarks.Rows;

/// <summary>Appends through Marten into the whole schema, an event for each change, against a binary COPY of what the changes tell into a bare table.</summary>
internal sealed class AppendRow : IRow
{
    public string Name => "append";

    public async Task<IReadOnlyList<Figure>> RunAsync(Bench bench, CancellationToken cancellation)
    {
        var log = await bench.MakeLogAsync(cancellation);
        var bare = new BareTable(log);
        await bare.MakeAsync(cancellation);
        using var appender = await Appender.OpenAsync(log, bench.Sizes, cancellation);
        var (appended, copied) = (new List<double>(), new List<double>());
        var turn = TimeSpan.FromSeconds(bench.Sizes.AppendSeconds / 2.0);
        for (var round = -1; round < bench.Sizes.Rounds * 2; round++)
        {
            var a = await appender.AppendAsync(turn, cancellation);
            var b = await bare.CopyAsync(turn, bench.Sizes.Entries, cancellation);
            Console.Error.WriteLine($"  {round}: {a:0} appended, {b:0} copied a second");
            if (round < 0)
                continue;
            appended.Add(a);
            copied.Add(b);
        }
        var (value, against) = (Bench.Median(appended), Bench.Median(copied));
        return [Figure.Compared(Name, value, against, "changes/s", "a binary COPY of the same into a bare table with one index", value / against, 0.38, 0.55)];
    }
}
