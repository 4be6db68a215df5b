namespace Maplog.Replicator.Following;

/// <summary>No bus: replicas read the log every two seconds.</summary>
internal sealed class SilentBus : IBusFeed
{
    public Task RunAsync(string source, IReadOnlyList<Listener> replicas, CancellationToken cancellation) => Task.Delay(Timeout.Infinite, cancellation);
}
