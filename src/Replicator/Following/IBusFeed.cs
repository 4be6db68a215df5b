using Maplog.Events;

namespace Maplog.Replicator.Following;

/// <summary>Carries what the bus has for a stream into the inbox of its replica.</summary>
internal interface IBusFeed
{
    /// <summary>Until it is cancelled, also when the bus is away.</summary>
    /// <param name="stream">Which stream.</param>
    /// <param name="pin">Which replica.</param>
    /// <param name="inbox">Where it goes.</param>
    /// <param name="cancellation">Ends it.</param>
    Task RunAsync(StreamName stream, string pin, ReplicaInbox inbox, CancellationToken cancellation);
}
