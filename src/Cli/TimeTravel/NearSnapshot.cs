using Maplog.Events;
using Maplog.Folding;
using Maplog.Kernel;
using Maplog.Log;

namespace Maplog.Cli.TimeTravel;

/// <summary>
/// A content that is a snapshot and a few later events: it is written into a new map while it is read, chunk by chunk, and the whole is
/// never in memory.
/// </summary>
internal sealed class NearSnapshot(LogStore log, Snapshot snapshot, StreamVersion upTo, CancellationToken cancellation)
{
    // Tags of the changes since the snapshot.
    private const ushort Put = 0, Delete = 1;

    public MapOpened Map => snapshot.Opened.Note;

    /// <summary>Entries of the snapshot plus later events: the total of a progress.</summary>
    public long Work => snapshot.Entries + (upTo - snapshot.Version);

    /// <summary>Fills an empty map.</summary>
    /// <returns>The number of its entries.</returns>
    /// <exception cref="SnapshotDamagedException">The snapshot is damaged; the map has a part of it.</exception>
    public async Task<long> FillAsync(BpfMap map, Progress progress)
    {
        var batches = new MapBatches(map);
        await foreach (var chunk in new SnapshotStore(log).ReadAsync(snapshot, cancellation))
        {
            cancellation.ThrowIfCancellationRequested();
            // The keys of a snapshot are all different, no process sees the map yet, and the kernel locks single buckets: two CPUs write it
            // faster than one.
            var half = chunk.Count / 2;
            Parallel.Invoke(() => Write(map, chunk, 0, half), () => Write(map, chunk, half, chunk.Count - half));
            progress.Step(chunk.Count);
        }
        var changes = await ReadChangesAsync(map);
        return snapshot.Entries + Apply(map, batches, changes, progress);
    }

    private static void Write(BpfMap map, SnapshotChunk chunk, int from, int count)
    {
        var (keySize, valueBytes) = (map.Info.KeySize, map.Info.ValueBytes);
        map.UpdateBatch(chunk.Keys.Slice(from * keySize, count * keySize), chunk.Values.Slice(from * valueBytes, count * valueBytes), count);
    }

    // Only the last change of a key that changed several times; parts of a value go into the value that the snapshot brought.
    private async Task<MapFold> ReadChangesAsync(BpfMap map)
    {
        var shape = snapshot.Shape;
        var changes = new MapFold(shape.KeySize, shape.ValueBytes);
        var key = new byte[shape.KeySize];
        var version = snapshot.Version;
        await foreach (var page in new LogReader(log).ReadAsync(snapshot.Stream, snapshot.Version, upTo, cancellation))
        {
            foreach (ref readonly var logged in page.Events.Span)
            {
                version = logged.Version;
                if (!logged.Kind.IsChange())
                    continue;
                var change = CheckedChange.Read(snapshot.Stream, logged, shape);
                change.Key.CopyTo(key);
                if (LpmKey.Applies(shape))
                    LpmKey.Normalise(key);
                var entry = changes.FindOrAdd(key, out var added);
                entry.Tag = logged.Kind.HasValue() ? Put : Delete;
                if (logged.Kind.HasValue())
                    CheckedChange.Put(snapshot.Stream, logged.Version, change, !added || change.HasParts && map.Lookup(key, entry.Value), entry.Value);
            }
        }
        return version == upTo
            ? changes
            : throw new LogException($"Stream {snapshot.Stream} has no version {upTo}, although its head is greater: the log at {log.Place} is damaged; 'maplog verify-log {snapshot.Stream}' says where.");
    }

    /// <returns>The number of additional entries.</returns>
    private long Apply(BpfMap map, MapBatches batches, MapFold changes, Progress progress)
    {
        long more = 0;
        var held = new byte[map.Info.ValueBytes];
        foreach (var entry in changes)
        {
            var isHeld = map.Lookup(entry.Key, held);
            more += (isHeld, entry.Tag) switch { (false, Put) => 1, (true, Delete) => -1, _ => 0 };
            if (entry.Tag == Delete && isHeld)
                batches.Delete(entry.Key, progress, cancellation);
        }
        batches.FlushDeletes(progress, cancellation);
        foreach (var entry in changes)
            if (entry.Tag == Put)
                batches.Put(entry.Key, entry.Value, progress, cancellation);
        batches.FlushPuts(progress, cancellation);
        return more;
    }
}
