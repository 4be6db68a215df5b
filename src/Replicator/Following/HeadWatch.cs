using Maplog.Events;
using Maplog.Kernel;
using Maplog.Log;
using Maplog.Replicas;

namespace Maplog.Replicator.Following;

/// <summary>
/// Asks the log every second for the heads of all followed streams, and puts the answers into the inboxes of the replicas. A replica that
/// has reached such a head was level at the time of the question. Only the log can show this, because the bus may be late. The watch is
/// separate from the loops of the replicas, because a log that does not answer must not block them.
/// </summary>
internal sealed class HeadWatch : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1), RenewedWithin = TimeSpan.FromSeconds(4), NewSessionsEvery = TimeSpan.FromSeconds(4);

    private readonly LogStore _store;
    private readonly LogReader _log;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _newcomer = new(0, 1);
    private readonly Lock _lock = new();
    private readonly List<Watched> _watched = [];
    private readonly Task _running;
    private long _renewedAt;

    public HeadWatch(LogStore log, TimeProvider time)
    {
        (_store, _log, _time, _renewedAt) = (log, new LogReader(log), time, time.GetTimestamp());
        _running = Task.Run(RunAsync);
    }

    /// <summary>Reports a stream's head, at once and every second, until the returned object is disposed.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="inbox">Receives the heads; a full inbox misses some.</param>
    /// <param name="report">Called when the log does not answer.</param>
    public IDisposable Watch(StreamName stream, ReplicaInbox inbox, ReplicaReport report)
    {
        var watched = new Watched(this, stream, inbox, report);
        lock (_lock)
        {
            _watched.Add(watched);
            if (_newcomer.CurrentCount == 0)
                _newcomer.Release();
        }
        return watched;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
        _newcomer.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            using var timer = new PeriodicTimer(Interval, _time);
            var tick = timer.WaitForNextTickAsync(_stop.Token).AsTask();
            var newcomer = _newcomer.WaitAsync(_stop.Token);
            while (true)
            {
                await Task.WhenAny(tick, newcomer);
                _stop.Token.ThrowIfCancellationRequested();
                var all = tick.IsCompleted;
                if (all)
                    tick = timer.WaitForNextTickAsync(_stop.Token).AsTask();
                if (newcomer.IsCompleted)
                    newcomer = _newcomer.WaitAsync(_stop.Token);
                List<Watched> due;
                lock (_lock)
                    due = [.. _watched.Where(w => all || !w.IsAsked)];
                var sources = due.GroupBy(w => w.Stream.Source).ToList();
                foreach (var source in sources)
                    await AskAsync(source.Key, [.. source]);
                if (all)
                    await RenewSessionsAsync(sources.Select(s => s.Key));
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
    }

    private async Task AskAsync(string source, IReadOnlyList<Watched> due)
    {
        try
        {
            var asked = Boot.Now();
            var heads = (await _log.ReadHeadsAsync(source, [.. due.Select(w => w.Stream)], _stop.Token)).ToDictionary(h => h.Stream, h => new Cursor(h.Epoch, h.Version));
            foreach (var watched in due)
                watched.Put(new AskedHead(heads.GetValueOrDefault(watched.Stream), asked)); // of one that the log has lost: an empty one
        }
        catch (LogException e)
        {
            foreach (var watched in due)
                watched.Fail(e.Message);
        }
        catch (FormatException) when (due.Count > 1)
        {
            // The last event of one stream is damaged, which must not affect the other streams.
            foreach (var watched in due)
                await AskAsync(source, [watched]);
        }
        catch (FormatException e)
        {
            due[0].Fail(e.Message);
        }
    }

    /// <summary>
    /// If no writer renews its lease, there is no writer, or it renews the lease on another server: after a failover a proxy may have left
    /// the sessions with the old primary, which still takes writes. New sessions lead to the server at which the address points now.
    /// </summary>
    private async Task RenewSessionsAsync(IEnumerable<string> sources)
    {
        if (_time.GetElapsedTime(_renewedAt) < NewSessionsEvery)
            return;
        try
        {
            foreach (var source in sources)
            {
                if (await new WriterLease(_store, source).IsRenewedAsync(RenewedWithin, _stop.Token))
                    continue;
                _renewedAt = _time.GetTimestamp();
                _store.RenewSessions();
                return;
            }
        }
        catch (LogException)
        {
            // Asking for the heads fails for the same reason, and reports it.
        }
    }

    private void Leave(Watched watched)
    {
        lock (_lock)
            _watched.Remove(watched);
    }

    private sealed class Watched(HeadWatch watch, StreamName stream, ReplicaInbox inbox, ReplicaReport report) : IDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Lock _lock = new();
        private Task _putting = Task.CompletedTask;
        private bool _isOver;

        public StreamName Stream => stream;

        public bool IsAsked { get; private set; }

        // A replica that does not take this head yet gets none of the later ones: only the oldest head counts.
        public void Put(AskedHead head)
        {
            lock (_lock)
            {
                IsAsked = true;
                if (_isOver)
                    return;
                report.LevelKnown();
                if (_putting.IsCompleted)
                    _putting = inbox.PutAsync(head, _stop.Token).AsTask();
            }
        }

        public void Fail(string why)
        {
            lock (_lock)
            {
                IsAsked = true;
                if (!_isOver)
                    report.LevelUnknown(why);
            }
        }

        public void Dispose()
        {
            watch.Leave(this);
            lock (_lock)
                _isOver = true;
            _stop.Cancel();
            _stop.Dispose();
        }
    }
}
