using Maplog.Kernel;
using Maplog.Replicas;
using Microsoft.Extensions.Logging;

namespace Maplog.Replicator.Following;

/// <summary>
/// Checks every second whether the pins of all replicas, and of the registry, still lead to the same objects. The watch creates missing
/// pins again. If a replica's pin leads elsewhere, the watch ends the replica, and its worker opens it by the rules of a start. The watch
/// is separate from the loops of the replicas, which wait for the log and for the kernel.
/// </summary>
internal sealed class PinWatch : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly WriterRegistry _registry;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly List<WatchedPins> _watched = [];
    private readonly Task _running;
    private string _said = "";

    public PinWatch(WriterRegistry registry, TimeProvider time, ILogger log)
    {
        (_registry, _time, _log) = (registry, time, log);
        _running = Task.Run(RunAsync);
    }

    /// <summary>Watches the pins of a replica until the returned object is disposed.</summary>
    /// <param name="replica">Must stay open until then.</param>
    /// <param name="life">Cancelled when a pin is lost.</param>
    public WatchedPins Watch(ReplicaMap replica, CancellationTokenSource life)
    {
        var watched = new WatchedPins(replica, life, _log, Leave);
        lock (_lock)
            _watched.Add(watched);
        return watched;
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
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                CheckRegistry();
                WatchedPins[] all;
                lock (_lock)
                    all = [.. _watched];
                foreach (var watched in all)
                    watched.Check();
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
    }

    private void CheckRegistry()
    {
        string found;
        try
        {
            found = string.Join(' ', _registry.Keep());
        }
        catch (KernelException e)
        {
            found = e.Message;
        }
        if (found.Length > 0 && found != _said)
            _log.RegistryPins(found);
        _said = found;
    }

    private void Leave(WatchedPins watched)
    {
        lock (_lock)
            _watched.Remove(watched);
    }
}
