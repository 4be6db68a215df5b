using System.Globalization;
using Maplog.Events;
using Maplog.Replicas;

namespace Maplog.Replicator.Observing;

/// <summary>The state of a replica at one moment.</summary>
/// <param name="State">Its activity.</param>
/// <param name="Trouble">Why the replica cannot continue; null: it can.</param>
/// <param name="MapId">The kernel's id of its map; 0: it has no map yet.</param>
/// <param name="Cursor">The last version in the map.</param>
/// <param name="Head">The stream's head, as far as the replica knows it.</param>
/// <param name="Versions">How many versions the replica lacks; null: the head is unknown.</param>
/// <param name="Lag">How long the replica has been behind, or without news of the head; zero: level. Null: the head is unknown.</param>
/// <param name="Bound">When the replica is ready.</param>
internal sealed record ReplicaSnapshot(ReplicaState State, string? Trouble, uint MapId, Cursor Cursor, StreamVersion Head, long? Versions, TimeSpan? Lag, LagBound Bound)
{
    public bool IsReady => WhyNot is null;

    /// <summary>Why the replica is not ready, a sentence; null: it is ready.</summary>
    public string? WhyNot => (State, Versions, Lag) switch
    {
        (ReplicaState.Stopped, _, _) => $"The replica has stopped. {Trouble}".TrimEnd(),
        // Nothing is fresher than the source itself.
        (ReplicaState.Source, _, _) => null,
        (ReplicaState.Building, _, _) => "The replica is being built from the log.",
        _ when Cursor.Version == StreamVersion.None => Trouble ?? "The replica has no content yet.",
        (_, null, _) or (_, _, null) => Trouble ?? "The replica does not know the head of its stream yet.",
        (_, { } versions, _) when versions > Bound.Versions => With($"The replica is {Number(versions)} {(versions == 1 ? "version" : "versions")} behind; its bound is {Number(Bound.Versions.Value)} (MaxLagVersions)."),
        (_, { } versions, { } lag) when lag > Bound.Time => With(versions > 0
            ? $"The replica has been behind for {Seconds(lag)} s; its bound is {Seconds(Bound.Time)} s (MaxLag)."
            : $"The replica has had no news of its stream for {Seconds(lag)} s; its bound is {Seconds(Bound.Time)} s (MaxLag)."),
        _ => null,
    };

    /// <summary>The state of a ready replica, in some words.</summary>
    public string Standing => State == ReplicaState.Source || Versions is null
        ? "ready; its map is the map from which the stream is logged"
        : $"ready, at version {Cursor.Version}, {Versions} behind";

    private string With(string sentence) => Trouble is null ? sentence : $"{sentence} {Trouble}";

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);
}
