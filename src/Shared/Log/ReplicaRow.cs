using Maplog.Events;

namespace Maplog.Log;

/// <summary>A replica as its replicator reports it to the log.</summary>
/// <param name="Stream">What it is a replica of.</param>
/// <param name="Node">The host it is on.</param>
/// <param name="Pin">Where it is pinned there.</param>
/// <param name="MapId">The kernel's id of its map; 0: it has none yet.</param>
/// <param name="BootId">The boot of that kernel.</param>
/// <param name="Epoch">Of the last event in the map.</param>
/// <param name="Version">The last version in the map.</param>
/// <param name="Head">The stream's head as far as the replica has heard.</param>
/// <param name="Versions">How many versions it lacks; null: it has not heard the head yet.</param>
/// <param name="Lag">How long it has been behind, or without word of the head; null: it has not heard the head yet.</param>
/// <param name="State">waiting, building, catching-up, following, polling, refused or stopped.</param>
/// <param name="Trouble">Why it is not ready, a sentence; null: it is, within the bound that its replicator has.</param>
public sealed record ReplicaRow(
    StreamName Stream, string Node, string Pin, uint MapId, string BootId, Epoch Epoch, StreamVersion Version, StreamVersion Head, long? Versions, TimeSpan? Lag, string State, string? Trouble)
{
    /// <summary>A replicator reports every two seconds: who was not heard for so long is gone.</summary>
    public static TimeSpan GoneAfter { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Events taken from the log since the replicator's start.</summary>
    public long FromLog { get; init; }

    /// <summary>Events taken from the bus since the replicator's start.</summary>
    public long FromBus { get; init; }

    /// <summary>Entries put right since the replicator's start.</summary>
    public long Repaired { get; init; }

    /// <summary>When the replicator began, by Postgres' clock.</summary>
    public DateTimeOffset StartedAt { get; init; }

    /// <summary>When it last reported, by Postgres' clock.</summary>
    public DateTimeOffset SeenAt { get; init; }

    /// <summary>How long ago that was.</summary>
    public TimeSpan SeenAgo { get; init; }

    public bool IsGone => SeenAgo > GoneAfter;

    /// <summary>Reports, and is ready.</summary>
    public bool IsWell => !IsGone && Trouble is null;
}
