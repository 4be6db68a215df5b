using Maplog.Observing;

namespace Maplog.Replicator.Observing;

/// <summary>All replicas of this daemon. The daemon is ready if each replica is within its bound.</summary>
internal sealed class ReplicaBoard : IReadiness, IDisposable
{
    private readonly SemaphoreSlim _changed = new(0, 1);

    public ReplicaBoard(ReplicatorOptions options, TimeProvider time) =>
        Replicas = [.. options.Replicas.Select(r => new ReplicaStatus(options.StreamOf(r), r.Pin, options.BoundOf(r), time, Changed))];

    /// <summary>In the order of the settings.</summary>
    public IReadOnlyList<ReplicaStatus> Replicas { get; }

    /// <summary>Waits until the state of a replica changes, or the time is over.</summary>
    public Task WaitAsync(TimeSpan atMost, CancellationToken cancellation) => _changed.WaitAsync(atMost, cancellation);

    public Task<Readiness> CheckAsync(CancellationToken cancellation)
    {
        var all = Replicas.Select(r => (Replica: r, Now: r.Now())).ToList();
        return Task.FromResult(new Readiness(all.All(r => r.Now.IsReady), [.. all.Select(r => $"{r.Replica.Stream} at {r.Replica.Pin}: {r.Now.WhyNot ?? r.Now.Standing}")]));
    }

    public void Dispose() => _changed.Dispose();

    // Many changes before the next look count as one.
    private void Changed()
    {
        try
        {
            if (_changed.CurrentCount == 0)
                _changed.Release();
        }
        catch (Exception e) when (e is SemaphoreFullException or ObjectDisposedException)
        {
            // Another replica was faster, or nobody waits any more.
        }
    }
}
