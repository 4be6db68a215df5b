namespace Maplog.Replicator.Following;

/// <summary>Carries what the bus has of a source into the inboxes of its replicas.</summary>
internal interface IBusFeed
{
    /// <summary>Until it is cancelled, also when the bus is away.</summary>
    /// <param name="source">Which source.</param>
    /// <param name="replicas">The replicas of its maps, each with where it hears; several may be of one map.</param>
    /// <param name="cancellation">Ends it.</param>
    Task RunAsync(string source, IReadOnlyList<Listener> replicas, CancellationToken cancellation);
}
