namespace Maplog.Demo;

/// <summary>A standby node: a replicator and its pinned map. (Here on the host of the source; as a rule on another.)</summary>
internal sealed class Standby(string name, string pin, Func<RunningDaemon> start) : IAsyncDisposable
{
    private RunningDaemon? _replicator;

    public string Name => name;

    public string Pin => pin;

    public bool IsRunning => _replicator is { IsRunning: true };

    public void Start() => _replicator = start();

    public async Task StopAsync()
    {
        if (_replicator is null)
            return;
        await using var replicator = _replicator;
        _replicator = null;
        await replicator.StopAsync();
    }

    /// <exception cref="DemoException">Its replicator ended by itself.</exception>
    public void RequireRunning() => _replicator?.RequireRunning();

    public ValueTask DisposeAsync() => _replicator?.DisposeAsync() ?? ValueTask.CompletedTask;
}
