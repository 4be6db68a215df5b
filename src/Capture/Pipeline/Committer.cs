using Maplog.Capture.Observing;
using Maplog.Capture.Terms;
using Maplog.Log;
using Microsoft.Extensions.Logging;

namespace Maplog.Capture.Pipeline;

/// <summary>Brings a batch into the log, once, however often the log is away meanwhile.</summary>
internal sealed class Committer(
    LogStore store, LogWriter writer, LogReader reader, HeldLease lease, CaptureMetrics metrics, CaptureHealth health, TimeProvider time, ILogger log)
{
    /// <summary>Events committed in this run.</summary>
    public long Committed { get; private set; }

    /// <exception cref="DeposedException">A later epoch has begun; nothing of the batch was appended.</exception>
    public async Task CommitAsync(EventBatch batch, CancellationToken cancellation)
    {
        var began = time.GetTimestamp();
        var wait = new LogWait(log.LogAway, time);
        while (true)
        {
            try
            {
                if (!await TryAppendAsync(batch, cancellation))
                    log.CommitRecognised(batch.Count);
                if (wait.IsUnderWay)
                    log.LogBack();
                Committed += batch.Count;
                metrics.Committed(batch.Count, time.GetElapsedTime(began));
                health.Committed();
                return;
            }
            catch (LogException e) when (e.MayPass)
            {
                health.CommitFailed(e.Message);
                await wait.AfterAsync(e, cancellation);
            }
        }
    }

    /// <returns>False: the batch was in the log already, committed by a try whose answer was lost.</returns>
    private async Task<bool> TryAppendAsync(EventBatch batch, CancellationToken cancellation)
    {
        // The unique (stream, version) keeps a deposed writer out of the streams that there are; the lease keeps it from making new ones.
        if (!await lease.IsHeldAsync(cancellation))
            throw await DeposedAsync(batch.Count, cancellation);
        try
        {
            await AppendAsync(batch, cancellation);
            return true;
        }
        catch (VersionTakenException)
        {
            if (await reader.ReadLatestEpochAsync(writer.Source, cancellation) > lease.Epoch)
                throw await DeposedAsync(batch.Count, cancellation);
            // Nobody else writes in this epoch, and a batch is committed whole: its heads are the log's, then it is there.
            foreach (var range in batch.Streams)
            {
                var head = await reader.ReadHeadAsync(range.Stream.Name, cancellation);
                if (head.Version != range.Last || head.Epoch != lease.Epoch)
                    throw;
            }
            return false;
        }
    }

    private async Task AppendAsync(EventBatch batch, CancellationToken cancellation)
    {
        var append = writer.AppendAsync(batch, cancellation);
        while (!append.IsCompleted)
        {
            await append.WaitAsync(WriterLease.Term, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                if (!append.IsCompleted && await lease.EndPredecessorAsync(cancellation))
                    log.EndedPredecessor();
            }
            catch (Exception e) when (e is LogException or OperationCanceledException)
            {
                // Then the append fails of the same, and says so.
            }
        }
        await append;
    }

    /// <summary>What there is to say about a lease that is lost.</summary>
    public async Task<DeposedException> DeposedAsync(int unlogged, CancellationToken cancellation) =>
        new(writer.Source, lease.Epoch, await new WriterLease(store, writer.Source).ReadAsync(cancellation), unlogged);
}
