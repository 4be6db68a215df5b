using Maplog.Configuration;
using Maplog.Kernel;
using Maplog.Log;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Maplog.Replicator.Observing;

/// <summary>
/// Reports the state of the replicas to the log, every two seconds and when a state changes, for <c>maplog status</c>. It never delays a
/// replica: if the log is not reachable, it gets the next report. After an orderly stop the replicas are no longer listed; after any other
/// end their last report stays.
/// </summary>
internal sealed class StatusReporter(ReplicaBoard board, LogStore store, NodeOptions node, DaemonExit exit, TimeProvider time, ILogger<StatusReporter> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2), AtMostEvery = TimeSpan.FromMilliseconds(200), Patience = TimeSpan.FromSeconds(5);

    private readonly ReplicaReports _reports = new(store, node.Name, Guid.NewGuid());
    private string? _said;

    /// <summary>Called after all other services, when the replicas have ended.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        using var late = new CancellationTokenSource(Patience, time);
        await TryAsync(() => exit.Code == 0 ? _reports.WithdrawAsync(late.Token) : _reports.ReportAsync(Rows(), late.Token));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            using var late = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            late.CancelAfter(Patience);
            await TryAsync(() => _reports.ReportAsync(Rows(), late.Token));
            await Task.Delay(AtMostEvery, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await board.WaitAsync(Interval - AtMostEvery, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private List<ReplicaRow> Rows() =>
    [
        .. board.Replicas.Where(r => r.HasBegun).Select(r =>
        {
            var now = r.Now();
            return new ReplicaRow(r.Stream, node.Name, r.Pin, now.MapId, Boot.Id, now.Cursor.Epoch, now.Cursor.Version, now.Head, now.Versions, now.Lag, StateNames.Of(now.State), now.WhyNot)
            {
                FromLog = r.FromLog,
                FromBus = r.FromBus,
                Repaired = r.Repaired,
            };
        }),
    ];

    private async Task TryAsync(Func<Task> report)
    {
        try
        {
            await report();
            _said = null;
        }
        catch (LogException e)
        {
            if (_said != e.Message)
                log.NotReported(_said = e.Message);
        }
        catch (OperationCanceledException)
        {
            // The daemon stops, or the log takes too long: the next report contains the same and more.
        }
    }
}
