using Maplog.Kernel;
using Maplog.Log;

namespace Maplog.Replicator.Following;

/// <summary>
/// Asks the log for the stream's head every second, beside what the replica hears, and puts the answer into its inbox: once the
/// replica has that, it was level at the moment of asking. Only the log can tell: the bus may be late with whatever it says.
/// Apart from the replica's own loop, which a log that does not answer must not hold up.
/// </summary>
internal sealed class LevelWatch : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly LogTail _log;
    private readonly ReplicaInbox _inbox;
    private readonly ReplicaReport _report;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    public LevelWatch(LogTail log, ReplicaInbox inbox, ReplicaReport report, TimeProvider time)
    {
        (_log, _inbox, _report, _time) = (log, inbox, report, time);
        _running = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(Interval, _time);
        try
        {
            do
            {
                try
                {
                    var asked = Boot.Now();
                    var head = await _log.ReadHeadAsync(_stop.Token);
                    await _inbox.PutAsync(new InboxItem(Head: new AskedHead(head, asked)), _stop.Token);
                    _report.LevelKnown();
                }
                catch (LogException e)
                {
                    _report.LevelUnknown(e.Message);
                }
            }
            while (await timer.WaitForNextTickAsync(_stop.Token));
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
    }
}
