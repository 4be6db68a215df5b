namespace Maplog.Log;

/// <summary>A snapshot is not what was written. What it held is in the history, where that is still there.</summary>
public sealed class SnapshotDamagedException(Snapshot snapshot, string why, LogStore store)
    : LogException($"The snapshot of {snapshot.Stream} at version {snapshot.Version} in {store.Place} is damaged: {why}. Compare with a backup, and write a new snapshot with 'maplog snapshot {snapshot.Stream}'.")
{
    public Snapshot Snapshot { get; } = snapshot;
}
