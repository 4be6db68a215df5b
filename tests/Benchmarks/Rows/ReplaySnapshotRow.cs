using Maplog.Events;
using Maplog.Snapshots;

namespace Maplog.Benchmarks.Rows;

/// <summary>The same with a snapshot a few thousand events before.</summary>
internal sealed class ReplaySnapshotRow : IRow
{
    public string Name => "replay-snapshot";

    public async Task<IReadOnlyList<Figure>> RunAsync(Bench bench, CancellationToken cancellation)
    {
        var log = await bench.FilledAsync(cancellation);
        var near = new StreamVersion(log.Head.Value - 5000);
        if (await new SnapshotTaker(log.Store).TakeAsync(FilledLog.Stream, near, cancellation: cancellation) is null)
            throw new InvalidOperationException("There is no snapshot.");
        var bare = new BareMap((await new StreamHistory(log.Store).ReadAsync(FilledLog.Stream, cancellation: cancellation)).Entries);
        var times = await bench.MediansAsync(
            () =>
            {
                bare.Write(bench.NewPin(), bench.Sizes);
                return Task.CompletedTask;
            },
            () => MapCommand.RunAsync(log.Connection, "replay", $"{FilledLog.Stream}", "--version", $"{log.Head}", "--into", bench.NewPin(), "--pin-root", bench.NewPins()));
        return [Figure.Compared(Name, times[1], times[0], "s", "the result written with batch updates from memory", times[1] / times[0], 1.3, 1.2)];
    }
}
