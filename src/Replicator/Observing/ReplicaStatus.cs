using Maplog.Events;
using Maplog.Replicas;
using Maplog.Replicator.Protocol;

namespace Maplog.Replicator.Observing;

/// <summary>
/// The state of one replica for readers outside: its worker writes it, batch by batch and beat by beat; probes, the collector of metrics
/// and the status reporter read it.
/// </summary>
/// <param name="stream">The stream of the replica.</param>
/// <param name="pin">The pin of the replica.</param>
/// <param name="bound">When the replica is ready.</param>
/// <param name="changed">Called when its state changes.</param>
/// <param name="time">The clock.</param>
internal sealed class ReplicaStatus(StreamName stream, string pin, LagBound bound, TimeProvider time, Action changed)
{
    /// <summary>
    /// A replica that is level, and whose last news is not older than this, has no lag: a beat comes each second, a poll after two seconds
    /// of silence.
    /// </summary>
    public static readonly TimeSpan Fresh = ReplicaProtocol.SilenceLimit + TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly long _startedAt = time.GetTimestamp();
    private long? _heardAt, _levelAt;
    private ReplicaState _state = ReplicaState.Waiting;
    private string? _trouble = "The replica is starting.";
    private uint _mapId;
    private Cursor _cursor;
    private StreamVersion _head;

    public StreamName Stream { get; } = stream;

    public string Pin { get; } = pin;

    public LagBound Bound { get; } = bound;

    /// <summary>Events taken from the log since the start. One writer.</summary>
    public long FromLog { get; set; }

    /// <summary>Events taken from the bus since the start. One writer.</summary>
    public long FromBus { get; set; }

    /// <summary>Entries that another program had changed, and that were corrected. One writer.</summary>
    public long Repaired { get; set; }

    /// <summary>Batches that the kernel refused. One writer.</summary>
    public long Refused { get; set; }

    /// <summary>Messages of the bus that could not be used. One writer.</summary>
    public long Broken { get; set; }

    /// <summary>Times the replica was built from the log. One writer.</summary>
    public long Built { get; set; }

    /// <summary>Whether there is anything to report yet: until then the report of an earlier run stays valid.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>The map of the replica, and its position.</summary>
    public void Opened(uint mapId, Cursor cursor)
    {
        lock (_lock)
            (_mapId, _cursor, HasBegun) = (mapId, cursor, true);
        changed();
    }

    /// <param name="state">The new activity.</param>
    /// <param name="trouble">Why the replica cannot continue, a sentence; null: it can.</param>
    public void Enter(ReplicaState state, string? trouble = null)
    {
        lock (_lock)
            (_state, _trouble, HasBegun) = (state, trouble, true);
        changed();
    }

    /// <summary>Everything up to this version is in the map.</summary>
    public void Applied(Cursor cursor)
    {
        lock (_lock)
        {
            _cursor = cursor;
            Compare();
        }
    }

    /// <summary>The stream's head came from the bus, or was read from the log, just now.</summary>
    public void Heard(StreamVersion head)
    {
        lock (_lock)
        {
            _head = head;
            _heardAt = time.GetTimestamp();
            Compare();
        }
    }

    public ReplicaSnapshot Now()
    {
        lock (_lock)
        {
            var versions = Math.Max(0, _head - _cursor.Version);
            return new ReplicaSnapshot(_state, _trouble, _mapId, _cursor, _head, _heardAt is null ? null : versions, Lag(versions), Bound);
        }
    }

    // The replica is known to be level with the stream at the time of the head, but not with later events.
    private void Compare()
    {
        if (_heardAt is not null && _cursor.Version >= _head)
            _levelAt = _heardAt;
    }

    private TimeSpan? Lag(long versions)
    {
        if (_heardAt is not { } heardAt)
            return null;
        return versions == 0 && time.GetElapsedTime(heardAt) <= Fresh ? TimeSpan.Zero : time.GetElapsedTime(_levelAt ?? _startedAt);
    }
}
