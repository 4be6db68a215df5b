using Maplog.Capture.Watching;
using Maplog.Log;
using Maplog.Observing;

namespace Maplog.Capture.Observing;

/// <summary>
/// Ready: the hook is attached, the log can be reached, and each map that the watch set means is logged. While commits fail the daemon is not ready, though nothing is lost
/// as long as the ring has room. Where there was nothing to commit, the log is asked.
/// </summary>
internal sealed class CaptureHealth(LogStore store, CaptureOptions options, TimeProvider time) : IReadiness
{
    private static readonly TimeSpan AskAtMostEvery = TimeSpan.FromSeconds(1), AnswerWithin = TimeSpan.FromSeconds(2);

    private volatile string? _waiting = "the capture is starting.", _away;
    private volatile string? _answer;
    private volatile Func<WatchTroubles> _troubles = () => WatchTroubles.None;
    private long _heardAt = long.MinValue;

    /// <summary>Whether commits succeed; nothing committed yet counts as well.</summary>
    public bool IsLogThere => _away is null && _answer is null;

    /// <summary>Nothing is captured, or not by this daemon.</summary>
    /// <param name="why">For what it waits, a sentence.</param>
    public void Waits(string why) => _waiting = why;

    /// <summary>The hook is attached and the log knows of it.</summary>
    /// <param name="troubles">What the watch set means and the log does not have.</param>
    public void Captures(Func<WatchTroubles> troubles) => (_troubles, _waiting) = (troubles, null);

    public void Committed()
    {
        (_away, _answer) = (null, null);
        Volatile.Write(ref _heardAt, time.GetTimestamp());
    }

    public void CommitFailed(string why) => _away = why;

    public async Task<Readiness> CheckAsync(CancellationToken cancellation)
    {
        if (_waiting is { } waiting)
            return new Readiness(false, [$"{options.Source}: {waiting}"]);
        if (_away is null)
            await AskAsync(cancellation);
        var troubles = _troubles();
        IReadOnlyList<string> missing = [.. troubles.Pins, .. troubles.Waiting];
        return (_away ?? _answer) is { } why
            ? new Readiness(false, [$"{options.Source}: {why} Meanwhile the ring keeps changes, as long as it has room.", .. missing])
            : new Readiness(troubles.Pins.Count == 0 && (troubles.Waiting.Count == 0 || options.WaitingIsReady), [$"{options.Source}: capturing", .. missing]);
    }

    // Whoever probes more often than that hears what was found last.
    private async Task AskAsync(CancellationToken cancellation)
    {
        var heardAt = Volatile.Read(ref _heardAt);
        if (heardAt != long.MinValue && time.GetElapsedTime(heardAt) < AskAtMostEvery)
            return;
        _answer = await new LogReader(store).TryReachAsync(AnswerWithin, cancellation);
        Volatile.Write(ref _heardAt, time.GetTimestamp());
    }
}
