using Maplog.Events;
using Maplog.Kernel;
using Maplog.Replicas;
using Maplog.Replicator.Observing;
using Microsoft.Extensions.Logging;

namespace Maplog.Replicator.Following;

/// <summary>Reports the activity of a replica, only when it changes.</summary>
internal sealed class ReplicaReport(ILogger log, ReplicaStatus status)
{
    private readonly string _pin = status.Pin;
    private readonly StreamName _stream = status.Stream;
    private string? _trouble;
    private bool _levelUnknown;

    public ReplicaState State { get; private set; } = ReplicaState.Stopped;

    public bool IsFollowing => State == ReplicaState.Following;

    /// <summary>Events read from the log since the start.</summary>
    public long FromLog { get => status.FromLog; set => status.FromLog = value; }

    /// <summary>Events taken from the bus since the start.</summary>
    public long FromBus { get => status.FromBus; set => status.FromBus = value; }

    /// <summary>Entries that another program had changed, corrected since the start.</summary>
    public long RepairedEntries { get => status.Repaired; set => status.Repaired = value; }

    public void Opened(uint mapId, Cursor cursor)
    {
        status.Opened(mapId, cursor);
        log.Opened(_pin, _stream, mapId, cursor.Version.Value, cursor.Epoch.Value);
    }

    /// <summary>The stream's head came from the bus, or was read from the log.</summary>
    public void Heard(StreamVersion head) => status.Heard(head);

    public void Building(string why)
    {
        Enter(ReplicaState.Building);
        log.Building(_pin, _stream, why);
    }

    public void Built(long entries, Cursor cursor, BatchApplier applier)
    {
        status.Built++;
        status.Applied(cursor);
        status.Heard(cursor.Version);
        Enter(ReplicaState.CatchingUp);
        log.Built(_pin, _stream, entries, cursor.Version.Value, applier.Written, applier.Deleted);
    }

    public void Loaded(StreamVersion version, long entries) => log.Loaded(_pin, _stream, version.Value, entries);

    public void SnapshotDamaged(string why) => log.SnapshotDamaged(_pin, _stream, why);

    public void Following(Cursor cursor)
    {
        if (Enter(ReplicaState.Following))
            log.Following(_pin, _stream, cursor.Version.Value, FromLog, FromBus);
    }

    public void Polling(Cursor cursor)
    {
        if (Enter(ReplicaState.Polling))
            log.Polling(_pin, _stream, cursor.Version.Value, FromLog, FromBus);
    }

    /// <summary>Short ranges are normal, and so is every range while the bus is silent; any other long range is a state.</summary>
    public void Reading(StreamVersion from, StreamVersion to)
    {
        if (to - from < 10_000 || State == ReplicaState.Polling)
            log.Reading(_pin, _stream, from.Value, to.Value);
        else if (Enter(ReplicaState.CatchingUp))
            log.CatchingUp(_pin, _stream, from.Value, to.Value);
    }

    public void Waiting(string why)
    {
        if (Enter(ReplicaState.Waiting) | Differs(why, why))
            log.Waiting(_pin, _stream, why);
    }

    /// <summary>Entries that another program had changed equal the log again.</summary>
    /// <param name="cursor">The position at which the changes were found.</param>
    /// <param name="written">Entries that were missing or different.</param>
    /// <param name="deleted">Entries that the log does not have.</param>
    /// <param name="evicted">Entries of an LRU map that its kernel evicted; they stay away.</param>
    public void Repaired(Cursor cursor, long written, long deleted, long evicted)
    {
        if (written + deleted == 0)
            return;
        RepairedEntries += written + deleted;
        log.Repaired(_pin, _stream, written, deleted, cursor.Version.Value, evicted);
    }

    public void IsSource()
    {
        if (Enter(ReplicaState.Source))
            log.IsSource(_pin, _stream);
    }

    public void LogAway(string why, Cursor cursor)
    {
        if (Enter(ReplicaState.Waiting) | Differs(why, why))
            log.LogAway(_pin, _stream, why, cursor.Version.Value);
    }

    /// <param name="kind">Distinguishes the refusals, because the sentence contains changing figures.</param>
    /// <param name="sentence">For the operator.</param>
    public void Refused(string kind, string sentence)
    {
        status.Refused++;
        if (Enter(ReplicaState.Refused) | Differs(kind, sentence))
            log.Refused(sentence);
    }

    /// <summary>The kernel has accepted a batch.</summary>
    public void Accepted(Cursor cursor)
    {
        status.Applied(cursor);
        if (State != ReplicaState.Refused)
            return;
        Enter(ReplicaState.CatchingUp);
        log.Accepted(_pin, _stream, cursor.Version.Value);
    }

    /// <summary>Called only by the level watch, which runs concurrently with everything else.</summary>
    public void LevelUnknown(string why)
    {
        if (!_levelUnknown)
            log.LevelUnknown(_pin, _stream, why);
        _levelUnknown = true;
    }

    /// <inheritdoc cref="LevelUnknown"/>
    public void LevelKnown()
    {
        if (_levelUnknown)
            log.LevelKnown(_pin, _stream);
        _levelUnknown = false;
    }

    public void Broken(string why)
    {
        status.Broken++;
        log.Broken(_pin, _stream, why);
    }

    public void Replacing(string why) => log.Replacing(_pin, _stream, why);

    public void Frozen() => log.Frozen(_pin, _stream);

    public void NotFrozen(string why) => log.NotFrozen(_pin, _stream, why);

    /// <summary>The replica's map is of another kind of hash than the source's.</summary>
    public void OtherKind(MapInfo map, MapShape source) => log.OtherKind(_pin, _stream, ReplicaShape.Describe(map), ReplicaShape.Describe(source));

    /// <summary>The pin leads elsewhere: from now on no program finds the replica there.</summary>
    public void Lost(uint mapId, string why)
    {
        status.Opened(mapId, default);
        Waiting(why);
    }

    public void Ended(string why)
    {
        Enter(ReplicaState.Stopped);
        status.Enter(ReplicaState.Stopped, why);
        log.Ended(_pin, _stream, why);
    }

    public void Stopped(Cursor cursor)
    {
        Enter(ReplicaState.Stopped);
        log.Stopped(_pin, _stream, cursor.Version.Value, FromLog, FromBus);
    }

    private bool Enter(ReplicaState state)
    {
        if (State == state)
            return false;
        State = state;
        _trouble = null;
        status.Enter(state);
        return true;
    }

    private bool Differs(string trouble, string sentence)
    {
        var differs = _trouble != trouble;
        _trouble = trouble;
        if (differs)
            status.Enter(State, sentence);
        return differs;
    }
}
