namespace Maplog.Demo;

/// <summary>How everything stands at a moment.</summary>
/// <param name="At">Since the traffic began.</param>
/// <param name="Made">Changes made to the source.</param>
/// <param name="Entries">Entries of the source.</param>
/// <param name="Head">The stream's last version.</param>
/// <param name="Replicas">The standbys.</param>
internal sealed record Sample(TimeSpan At, long Made, int Entries, long Head, IReadOnlyList<ReplicaSample> Replicas);

/// <summary>How a replica stands at a moment.</summary>
/// <param name="Name">Of the node.</param>
/// <param name="IsRunning">Whether its replicator runs.</param>
/// <param name="Entries">Entries of its map.</param>
/// <param name="Cursor">The last version applied.</param>
/// <param name="Behind">Versions to the head.</param>
/// <param name="Age">Time between its last event and the head's.</param>
internal sealed record ReplicaSample(string Name, bool IsRunning, int Entries, long Cursor, long Behind, TimeSpan Age);
