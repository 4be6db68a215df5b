using System.Diagnostics;
using Maplog.Events;
using Maplog.Log;
using Maplog.Replicas;

namespace Maplog.Demo;

/// <summary>Looks at the source, the log and the standbys, as anybody could: none of maplog's daemons is asked.</summary>
internal sealed class Observer(ConnectionTable table, Traffic traffic, LogReader log, StreamName stream, IReadOnlyList<Standby> standbys)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public async Task<Sample> LookAsync(CancellationToken cancellation)
    {
        // The cursors first: the head read after them is never older.
        var cursors = standbys.Select(s => ReplicaMap.ReadCursor(s.Pin)).ToList();
        var head = await log.ReadHeadAsync(stream, cancellation);
        var replicas = standbys.Zip(cursors, (standby, cursor) =>
        {
            var version = cursor?.Cursor.Version.Value ?? 0;
            var behind = head.Version.Value - version;
            var age = behind > 0 && version > 0 ? head.Time - cursor!.Value.Time : TimeSpan.Zero;
            return new ReplicaSample(standby.Name, standby.IsRunning, MapContent.Count(standby.Pin), version, behind, age);
        });
        return new Sample(_clock.Elapsed, traffic.Total, MapContent.Count(table.Map), head.Version.Value, [.. replicas]);
    }
}
