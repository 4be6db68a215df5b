namespace Maplog.HotStandby;

/// <summary>Asks the member's own checks, and writes what they say where the program reads it.</summary>
internal sealed class SelfCheck(StandbyMember member, StandbyOptions options) : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task? _running;

    public void Start()
    {
        if (options.Healthy is not null || options.Eligible is not null)
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
                member.SetHealthy(await AskAsync(healthy, "health"));
            if (options.Eligible is { } eligible)
                member.SetEligible(await AskAsync(eligible, "eligibility"));
            await Task.Delay(options.CheckEvery, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // The check is the service's own code: whatever it throws is its answer.
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1031", Justification = "Any failure of the check means no.")]
    private async Task<bool> AskAsync(Func<CancellationToken, ValueTask<bool>> check, string what)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        patience.CancelAfter(options.CheckEvery);
        try
        {
            return await check(patience.Token).AsTask().WaitAsync(patience.Token);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return false; // leaving; nobody asks any more
        }
        catch (Exception e)
        {
            options.Complain?.Invoke($"The {what} check of member {member.Name} of group {member.Group.Name} failed: {e.Message}");
            return false;
        }
    }
}
