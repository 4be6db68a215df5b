using System.Diagnostics;
using Maplog.Events;
using Maplog.Log;
using Maplog.Snapshots;
using Microsoft.Extensions.Logging;

namespace Maplog.Capture.Keeping;

/// <summary>
/// What the log needs beside the events, done behind the head on connections of its own, so that nobody has to remember it:
/// snapshots, the index of keys, and the prune records that an admin asks for. The pipeline never waits for it, and it ends
/// with the daemon.
/// </summary>
/// <param name="store">The log.</param>
/// <param name="options">How often, how much.</param>
/// <param name="committed">How many events the pipeline has committed.</param>
/// <param name="ask">Takes a prune record, for the pipeline to write.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Hears what is written, and what waits.</param>
internal sealed class LogKeeper(LogStore store, CaptureOptions options, Func<long> committed, Action<StreamName, Pruned> ask, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan LookForOrders = TimeSpan.FromSeconds(2);

    private readonly LogReader _reader = new(store);
    private readonly HashSet<long> _handed = [];

    /// <summary>Until it is cancelled.</summary>
    public Task RunAsync(CancellationToken stopping) => Task.WhenAll(
        Task.Run(() => RepeatAsync("Snapshots", options.SnapshotEvery, SnapshotsAsync, stopping), CancellationToken.None),
        Task.Run(() => RepeatAsync("Entries of the index of keys", options.IndexRate > 0 ? IndexFill.LookEvery : TimeSpan.Zero, new IndexFill(store, options, committed, time).FillAsync, stopping), CancellationToken.None),
        Task.Run(() => RepeatAsync("Prunes", LookForOrders, OrdersAsync, stopping), CancellationToken.None));

    private async Task RepeatAsync(string what, TimeSpan every, Func<CancellationToken, Task> work, CancellationToken stopping)
    {
        if (every == TimeSpan.Zero)
            return;
        string? said = null;
        while (true)
        {
            try
            {
                await Task.Delay(every, time, stopping);
                await work(stopping);
                said = null;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Whatever it is: the capture goes on, and the next look tries again.
                if (said != e.Message)
                    log.KeepingWaits(what, said = e.Message);
            }
        }
    }

    // From the log and not from the pipeline's folds: those change while they would be copied, and are ahead of the commit.
    // It reads what came since the last snapshot once more, at a million events a second or two.
    private async Task SnapshotsAsync(CancellationToken stopping)
    {
        var snapshots = new SnapshotStore(store);
        foreach (var head in await _reader.ReadHeadsAsync(options.Source, stopping))
        {
            var last = await snapshots.FindAsync(head.Stream, head.Version, 1, stopping) is [var newest] ? newest.Version : StreamVersion.None;
            if (await _reader.ReadLatestAsync<MapOpened>(head.Stream, stopping) is not { } opened || head.Version - (last > opened.Version ? last : opened.Version) < options.SnapshotAfter)
                continue;
            var began = Stopwatch.GetTimestamp();
            if (await new SnapshotTaker(store, log.SnapshotDamaged).TakeAsync(head.Stream, head.Version, cancellation: stopping) is { } taken)
                log.SnapshotTaken(taken.Stream.ToString(), taken.Version.Value, taken.Entries, Stopwatch.GetElapsedTime(began).TotalSeconds);
            await snapshots.DropAllButAsync(head.Stream, options.SnapshotsKept, stopping);
        }
    }

    private async Task OrdersAsync(CancellationToken stopping)
    {
        foreach (var (number, stream, record) in await new PruneStore(store).ReadOrdersAsync(options.Source, stopping))
        {
            // What a daemon before this one was handed may be in the log already.
            if (!_handed.Add(number) || await _reader.ReadLatestAsync<Pruned>(stream, stopping) is { } written && written.Note.UpTo >= record.UpTo)
                continue;
            ask(stream, record);
        }
    }
}
