using Maplog.Events;

namespace Maplog.Log;

/// <summary>The server has lost commits that it had confirmed, as by a failover to one that was behind. The log goes on where it ends.</summary>
/// <param name="place">The log.</param>
/// <param name="lost">How many events of which stream.</param>
public sealed class CommitsLostException(string place, IReadOnlyDictionary<StreamName, long> lost)
    : LogException($"The log at {place} has lost {lost.Values.Sum()} {(lost.Values.Sum() == 1 ? "event" : "events")} that it had confirmed, of {string.Join(", ", lost.Keys)}, for example by a failover to a server that was behind.")
{
    /// <summary>How many events of which stream.</summary>
    public IReadOnlyDictionary<StreamName, long> Lost { get; } = lost;
}
