using System.Diagnostics.Metrics;

namespace Maplog.Replicator.Observing;

/// <summary>The daemon's instruments: collectors read all of them from the replicas' status.</summary>
internal sealed class ReplicatorMetrics : IDisposable
{
    public const string MeterName = "Maplog.Replicator";

    private readonly Meter _meter = new(MeterName);
    private readonly ReplicaBoard _board;

    public ReplicatorMetrics(ReplicaBoard board)
    {
        _board = board;
        _meter.CreateObservableCounter("maplog.replicator.events", Events, "{event}", "Events applied, from the log and from the bus.");
        _meter.CreateObservableCounter("maplog.replicator.repaired", () => Each(r => r.Repaired), "{entry}", "Entries that another program had changed, and that were corrected.");
        _meter.CreateObservableCounter("maplog.replicator.refused", () => Each(r => r.Refused), "{batch}", "Batches that the kernel refused; each is tried again.");
        _meter.CreateObservableCounter("maplog.replicator.broken", () => Each(r => r.Broken), "{message}", "Messages of the bus that could not be used; their events are read from the log.");
        _meter.CreateObservableCounter("maplog.replicator.built", () => Each(r => r.Built), "{build}", "Times the replica was built from the log.");
        _meter.CreateObservableGauge("maplog.replicator.cursor", () => Each(r => r.Now().Cursor.Version.Value), "{version}", "Last version in the map.");
        _meter.CreateObservableGauge("maplog.replicator.head", () => Each(r => r.Now().Head.Value), "{version}", "The stream's head, as far as the replica knows it.");
        _meter.CreateObservableGauge("maplog.replicator.lag.versions", () => Each(r => r.Now().Versions), "{version}", "Head minus cursor.");
        _meter.CreateObservableGauge("maplog.replicator.lag", () => Each(r => r.Now().Lag?.TotalSeconds), "s", "How long the replica has been behind, or without news of its stream's head; 0: level.");
        _meter.CreateObservableGauge("maplog.replicator.ready", () => Each(r => r.Now().IsReady ? 1L : 0L), "1", "Whether the replica is within its bound.");
        _meter.CreateObservableGauge("maplog.replicator.state", States, "1", "1 for the state that the replica is in.");
    }

    public void Dispose() => _meter.Dispose();

    private IEnumerable<Measurement<T>> Each<T>(Func<ReplicaStatus, T?> read) where T : struct
    {
        foreach (var replica in _board.Replicas)
        {
            if (read(replica) is { } number)
                yield return new Measurement<T>(number, Stream(replica), Pin(replica));
        }
    }

    private IEnumerable<Measurement<long>> Each(Func<ReplicaStatus, long> read) => Each<long>(r => read(r));

    private IEnumerable<Measurement<long>> Events()
    {
        foreach (var replica in _board.Replicas)
        {
            yield return new Measurement<long>(replica.FromLog, Stream(replica), Pin(replica), new("maplog.via", "log"));
            yield return new Measurement<long>(replica.FromBus, Stream(replica), Pin(replica), new("maplog.via", "bus"));
        }
    }

    private IEnumerable<Measurement<long>> States()
    {
        foreach (var replica in _board.Replicas)
        {
            var now = replica.Now().State;
            foreach (var state in Enum.GetValues<ReplicaState>())
                yield return new Measurement<long>(state == now ? 1 : 0, Stream(replica), Pin(replica), new("maplog.state", StateNames.Of(state)));
        }
    }

    private static KeyValuePair<string, object?> Stream(ReplicaStatus replica) => new("maplog.stream", replica.Stream.ToString());

    private static KeyValuePair<string, object?> Pin(ReplicaStatus replica) => new("maplog.pin", replica.Pin);
}
