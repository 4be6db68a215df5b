using System.Diagnostics.CodeAnalysis;
using Maplog.Kernel;

namespace Maplog.HotStandby;

/// <summary>
/// Runs the member's own checks, reads the age of its replicas, and writes the results where the program reads them. Eligibility is written
/// as the time at which it lapses: if this check ends or hangs, the eligibility lapses.
/// </summary>
internal sealed class SelfCheck(StandbyMember member, StandbyOptions options) : IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly long _joined = Boot.Now();
    private readonly Dictionary<string, Task> _underWay = [];
    private Task? _running;
    private bool? _eligible;

    public void Start()
    {
        if (options.Healthy is not null || options.Eligible is not null || options.Replicas.Count > 0)
            _running ??= Task.Run(RunAsync);
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        if (_running is { } running)
            await running;
    }

    public void Dispose() => _stop.Dispose();

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            if (options.Healthy is { } healthy)
            {
                var well = await AskAsync(healthy, "health"); // by itself: no reference into the record outlives an await
                member.Record.Unhealthy = well ? 0u : 1;
            }
            if (options.Eligible is not null || options.Replicas.Count > 0)
                await JudgeEligibilityAsync();
            await Task.Delay(options.CheckEvery, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task JudgeEligibilityAsync()
    {
        string? why = null;
        var until = MemberRecord.Always;
        var level = uint.MaxValue;
        if (options.Eligible is { } eligible)
        {
            // Two rounds may be missed, and a busy machine needs another second.
            until = await AskAsync(eligible, "eligibility") ? Clock.Now() + Clock.Of(options.CheckEvery * 4 + Grace) : 0;
            why = until == 0 ? "its check failed" : null;
        }
        foreach (var pin in options.Replicas)
        {
            var (lapses, noted, reason) = OfReplica(pin);
            until = Math.Min(until, lapses);
            level = Math.Min(level, noted);
            why ??= reason;
        }
        if (options.Replicas.Count > 0)
            Volatile.Write(ref member.Record.Level, level);
        Volatile.Write(ref member.Record.Eligible, until);
        if (_eligible == (until != 0) || _stop.IsCancellationRequested)
            return;
        _eligible = until != 0;
        options.Say(until != 0
            ? $"Member {member.Name} of group {member.Group.Name} is eligible."
            : $"Member {member.Name} of group {member.Group.Name} is not eligible; eligible members go before it: {why}.");
    }

    /// <returns>
    /// Until when the replica is young enough, 0 if it is not; when it was last level, as noted, 0 if this is unknown; and why it is not
    /// young enough.
    /// </returns>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever hides the replica's age means no.")]
    private (ulong Until, uint Level, string? Why) OfReplica(string pin)
    {
        try
        {
            // Read the age first: time that passes meanwhile counts against the member.
            var now = Clock.Now();
            var (age, level) = ReplicaAge.Read(pin);
            // A level from before this process began may belong to the previous process.
            if (age > TimeSpan.FromTicks((Boot.Now() - _joined) / TimeSpan.NanosecondsPerTick))
                return (0, level, $"the replica {pin} has not been level with its log since the member joined");
            if (age <= options.MostLag)
                return (now + Clock.Of(options.MostLag - age), level, null);
            return (0, level, $"the replica {pin} was last level with its log {age.TotalSeconds:0.0} s ago, but at most {options.MostLag.TotalSeconds:0.###} s are allowed; its replicator lags, has lost the log, or is gone");
        }
        catch (Exception e)
        {
            return (0, 0, e.Message.TrimEnd('.'));
        }
    }

    // The check is the service's own code: an exception is its answer, and a check that does not return is not called again.
    [SuppressMessage("Design", "CA1031", Justification = "Any failure of the check means no.")]
    private async Task<bool> AskAsync(Func<CancellationToken, ValueTask<bool>> check, string what)
    {
        if (_underWay.TryGetValue(what, out var before) && !before.IsCompleted)
            return false;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        patience.CancelAfter(options.CheckEvery);
        try
        {
            var asked = Task.Run(() => check(patience.Token).AsTask(), CancellationToken.None);
            _underWay[what] = asked;
            return await asked.WaitAsync(patience.Token);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return false; // leaving; nobody asks any more
        }
        catch (Exception e)
        {
            options.Say($"The {what} check of member {member.Name} of group {member.Group.Name} failed: {(e is OperationCanceledException ? $"no answer came within {options.CheckEvery.TotalMilliseconds:0} ms" : e.Message)}");
            return false;
        }
    }
}
