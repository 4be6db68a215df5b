namespace Maplog.Replicator.Following;

/// <summary>Delivers the bus messages of a source to the inboxes of its replicas.</summary>
internal interface IBusFeed
{
    /// <summary>Runs until it is cancelled, also while the bus is not reachable.</summary>
    /// <param name="source">The source.</param>
    /// <param name="replicas">The replicas of its maps with their inboxes; several replicas may belong to one map.</param>
    /// <param name="cancellation">Ends the feed.</param>
    Task RunAsync(string source, IReadOnlyList<Listener> replicas, CancellationToken cancellation);
}
