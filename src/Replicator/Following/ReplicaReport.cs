using Maplog.Events;
using Maplog.Replicas;
using Microsoft.Extensions.Logging;

namespace Maplog.Replicator.Following;

/// <summary>What a replica is about, told when it changes and only then.</summary>
internal sealed class ReplicaReport(ILogger log, string pin, StreamName stream)
{
    private string? _trouble;
    private bool _levelUnknown;

    public ReplicaState State { get; private set; } = ReplicaState.Stopped;

    /// <summary>Events read from the log since the start.</summary>
    public long FromLog { get; set; }

    /// <summary>Events taken from the bus since the start.</summary>
    public long FromBus { get; set; }

    /// <summary>Entries put right since the start.</summary>
    public long RepairedEntries { get; private set; }

    public void Opened(uint mapId, Cursor cursor) => log.Opened(pin, stream, mapId, cursor.Version.Value, cursor.Epoch.Value);

    public void Building(string why)
    {
        Enter(ReplicaState.Building);
        log.Building(pin, stream, why);
    }

    public void Built(int entries, Cursor cursor, BatchApplier applier) => log.Built(pin, stream, entries, cursor.Version.Value, applier.Written, applier.Deleted);

    public void Following(Cursor cursor)
    {
        if (Enter(ReplicaState.Following))
            log.Following(pin, stream, cursor.Version.Value, FromLog, FromBus);
    }

    public void Polling(Cursor cursor)
    {
        if (Enter(ReplicaState.Polling))
            log.Polling(pin, stream, cursor.Version.Value, FromLog, FromBus);
    }

    /// <summary>Short ranges are daily bread, and so is any while the bus is silent; a long one else is a state.</summary>
    public void Reading(StreamVersion from, StreamVersion to)
    {
        if (to - from < 10_000 || State == ReplicaState.Polling)
            log.Reading(pin, stream, from.Value, to.Value);
        else if (Enter(ReplicaState.CatchingUp))
            log.CatchingUp(pin, stream, from.Value, to.Value);
    }

    public void Waiting(string why)
    {
        if (Enter(ReplicaState.Waiting) | Differs(why))
            log.Waiting(pin, stream, why);
    }

    /// <summary>Entries that somebody else had changed are as the log has them again.</summary>
    /// <param name="cursor">Where it was found.</param>
    /// <param name="written">Entries that were missing or other.</param>
    /// <param name="deleted">Entries that the log does not have.</param>
    /// <param name="evicted">Of an LRU map, entries that its kernel evicted; they stay away.</param>
    public void Repaired(Cursor cursor, long written, long deleted, long evicted)
    {
        if (written + deleted == 0)
            return;
        RepairedEntries += written + deleted;
        log.Repaired(pin, stream, written, deleted, cursor.Version.Value, evicted);
    }

    public void IsSource()
    {
        if (Enter(ReplicaState.Source))
            log.IsSource(pin, stream);
    }

    public void LogAway(string why, Cursor cursor)
    {
        if (Enter(ReplicaState.Waiting) | Differs(why))
            log.LogAway(pin, stream, why, cursor.Version.Value);
    }

    /// <param name="kind">What tells one refusal from another; the sentence has figures that change.</param>
    /// <param name="sentence">For the operator.</param>
    public void Refused(string kind, string sentence)
    {
        if (Enter(ReplicaState.Refused) | Differs(kind))
            log.Refused(sentence);
    }

    public void Accepted(Cursor cursor)
    {
        if (State != ReplicaState.Refused)
            return;
        State = ReplicaState.CatchingUp;
        _trouble = null;
        log.Accepted(pin, stream, cursor.Version.Value);
    }

    /// <summary>From the level watch alone, which runs beside everything else.</summary>
    public void LevelUnknown(string why)
    {
        if (!_levelUnknown)
            log.LevelUnknown(pin, stream, why);
        _levelUnknown = true;
    }

    /// <inheritdoc cref="LevelUnknown"/>
    public void LevelKnown()
    {
        if (_levelUnknown)
            log.LevelKnown(pin, stream);
        _levelUnknown = false;
    }

    public void Broken(string why) => log.Broken(pin, stream, why);

    public void Replacing() => log.Replacing(pin, stream);

    public void Ended(string why)
    {
        Enter(ReplicaState.Stopped);
        log.Ended(pin, stream, why);
    }

    public void Stopped(Cursor cursor)
    {
        Enter(ReplicaState.Stopped);
        log.Stopped(pin, stream, cursor.Version.Value, FromLog, FromBus);
    }

    private bool Enter(ReplicaState state)
    {
        if (State == state)
            return false;
        State = state;
        _trouble = null;
        return true;
    }

    private bool Differs(string trouble)
    {
        var differs = _trouble != trouble;
        _trouble = trouble;
        return differs;
    }
}
