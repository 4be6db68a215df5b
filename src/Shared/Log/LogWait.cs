namespace Maplog.Log;

/// <summary>How a daemon waits for its log: it tells each reason once, and tries ever more rarely, at least every five seconds. One caller at a time.</summary>
/// <param name="say">Tells the reason for waiting, a sentence.</param>
/// <param name="time">The clock.</param>
public sealed class LogWait(Action<string> say, TimeProvider time)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100), Longest = TimeSpan.FromSeconds(5);

    private TimeSpan _pause = First;
    private string? _reason;

    /// <summary>Whether a failure was told of since the log answered last.</summary>
    public bool IsUnderWay => _reason is not null;

    /// <summary>Waits until it is time for the next try.</summary>
    /// <param name="failure">Why the last one failed.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    public async Task AfterAsync(LogException failure, CancellationToken cancellation)
    {
        if (_reason != failure.Reason)
            say(failure.Message);
        _reason = failure.Reason;
        await Task.Delay(_pause, time, cancellation);
        _pause = _pause * 2 < Longest ? _pause * 2 : Longest;
    }

    /// <summary>The log has answered: the next failure is told again, and tried again soon.</summary>
    public void Over() => (_reason, _pause) = (null, First);
}
