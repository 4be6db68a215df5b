using Maplog.Events;
using Microsoft.Extensions.Logging;

namespace Maplog.Replicator;

/// <summary>The log lines of the replicator; the numbers are stable.</summary>
internal static partial class ReplicaLog
{
    [LoggerMessage(2001, LogLevel.Information, "Replica {Pin} of {Stream}: map id {MapId} is open at version {Version} of epoch {Epoch}.")]
    public static partial void Opened(this ILogger log, string pin, StreamName stream, uint mapId, long version, int epoch);

    [LoggerMessage(2002, LogLevel.Information, "Replica {Pin} of {Stream}: building the replica from the log. {Why}")]
    public static partial void Building(this ILogger log, string pin, StreamName stream, string why);

    [LoggerMessage(2003, LogLevel.Information, "Replica {Pin} of {Stream}: built at version {Version}. Entries: {Entries}, written: {Written}, deleted: {Deleted}.")]
    public static partial void Built(this ILogger log, string pin, StreamName stream, long entries, long version, long written, long deleted);

    [LoggerMessage(2004, LogLevel.Information, "Replica {Pin} of {Stream}: following the bus at version {Version}. Events since the start: {FromLog} from the log, {FromBus} from the bus.")]
    public static partial void Following(this ILogger log, string pin, StreamName stream, long version, long fromLog, long fromBus);

    [LoggerMessage(2005, LogLevel.Warning, "Replica {Pin} of {Stream}: no message from the bus; following the log at version {Version}, with a query every two seconds. Events since the start: {FromLog} from the log, {FromBus} from the bus.")]
    public static partial void Polling(this ILogger log, string pin, StreamName stream, long version, long fromLog, long fromBus);

    [LoggerMessage(2006, LogLevel.Information, "Replica {Pin} of {Stream}: catching up from the log, versions {From} to {To}.")]
    public static partial void CatchingUp(this ILogger log, string pin, StreamName stream, long from, long to);

    [LoggerMessage(2007, LogLevel.Warning, "Replica {Pin} of {Stream}: waiting. {Why}")]
    public static partial void Waiting(this ILogger log, string pin, StreamName stream, string why);

    [LoggerMessage(2008, LogLevel.Error, "{Sentence}")]
    public static partial void Refused(this ILogger log, string sentence);

    [LoggerMessage(2009, LogLevel.Information, "Replica {Pin} of {Stream}: the kernel accepts writes again, at version {Version}.")]
    public static partial void Accepted(this ILogger log, string pin, StreamName stream, long version);

    [LoggerMessage(2010, LogLevel.Warning, "Replica {Pin} of {Stream}: a message from the bus cannot be used; its events are read from the log. {Why}")]
    public static partial void Broken(this ILogger log, string pin, StreamName stream, string why);

    [LoggerMessage(2011, LogLevel.Warning, "Replica {Pin} of {Stream}: {Why} The replica stays at version {Version} and tries again.")]
    public static partial void LogAway(this ILogger log, string pin, StreamName stream, string why, long version);

    [LoggerMessage(2012, LogLevel.Information, "Replica {Pin} of {Stream}: stopped at version {Version}. Events since the start: {FromLog} from the log, {FromBus} from the bus.")]
    public static partial void Stopped(this ILogger log, string pin, StreamName stream, long version, long fromLog, long fromBus);

    [LoggerMessage(2013, LogLevel.Critical, "Replica {Pin} of {Stream} ends. {Why}")]
    public static partial void Ended(this ILogger log, string pin, StreamName stream, string why);

    [LoggerMessage(2014, LogLevel.Warning, "This process is not in the initial pid namespace: a capture on this host cannot recognise its writes and would log them again. Run the replicator with the host's pid namespace (docker run --pid=host), unless no capture runs here.")]
    public static partial void OtherNamespace(this ILogger log);

    [LoggerMessage(2015, LogLevel.Debug, "Replica {Pin} of {Stream}: reading versions {From} to {To} from the log.")]
    public static partial void Reading(this ILogger log, string pin, StreamName stream, long from, long to);

    [LoggerMessage(2016, LogLevel.Information, "Replica {Pin} of {Stream}: from now on another map is the replica. {Why}")]
    public static partial void Replacing(this ILogger log, string pin, StreamName stream, string why);

    [LoggerMessage(2017, LogLevel.Critical, "{Sentence}")]
    public static partial void Failed(this ILogger log, string sentence);

    [LoggerMessage(2018, LogLevel.Warning, "{Why} Waiting for the log.")]
    public static partial void WaitingForLog(this ILogger log, string why);

    [LoggerMessage(2026, LogLevel.Warning, "Replica {Pin} of {Stream}: another program has written into its map. To make the map equal to the log at version {Version}, the replicator changed it (entries written: {Written}, deleted: {Deleted}). Find the program: only the replicator may write this map. (Entries evicted by this kernel: {Evicted}.)")]
    public static partial void Repaired(this ILogger log, string pin, StreamName stream, long written, long deleted, long version, long evicted);

    [LoggerMessage(2025, LogLevel.Warning, "Replica {Pin} of {Stream}: the map pinned there is the map from which the stream is logged. The replica rests until another node is promoted to write the source; if this is not intended, choose another pin.")]
    public static partial void IsSource(this ILogger log, string pin, StreamName stream);

    [LoggerMessage(2019, LogLevel.Warning, "`maplog status` gets no report of the replicas of this host: {Why}")]
    public static partial void NotReported(this ILogger log, string why);

    [LoggerMessage(2027, LogLevel.Information, "Replica {Pin} of {Stream}: begins with the snapshot at version {Version} (entries: {Entries}); the later events follow.")]
    public static partial void Loaded(this ILogger log, string pin, StreamName stream, long version, long entries);

    [LoggerMessage(2028, LogLevel.Error, "Replica {Pin} of {Stream}: a snapshot cannot be used; an earlier snapshot or the history is read instead. {Why}")]
    public static partial void SnapshotDamaged(this ILogger log, string pin, StreamName stream, string why);

    [LoggerMessage(2030, LogLevel.Warning, "Replica {Pin} of {Stream}: {Found}; the pin leads to the replica's map again. Find out which program changed it.")]
    public static partial void PinRestored(this ILogger log, string pin, StreamName stream, string found);

    [LoggerMessage(2031, LogLevel.Warning, "{Sentences}")]
    public static partial void RegistryPins(this ILogger log, string sentences);

    [LoggerMessage(2032, LogLevel.Warning, "Replica {Pin} of {Stream}: its map is {Map}, the source's map is {SourceMap}. The replica continues in its map, which can hold every entry; to replace it by a map of the source's kind, set OnNewShape to Recreate.")]
    public static partial void OtherKind(this ILogger log, string pin, StreamName stream, string map, string sourceMap);

    [LoggerMessage(2033, LogLevel.Warning, "{Sentence}")]
    public static partial void Unseen(this ILogger log, string sentence);

    [LoggerMessage(2034, LogLevel.Information, "Replica {Pin} of {Stream}: the source's map is frozen; from now on the replica's map is frozen too.")]
    public static partial void Frozen(this ILogger log, string pin, StreamName stream);

    [LoggerMessage(2035, LogLevel.Warning, "Replica {Pin} of {Stream}: the source's map is frozen, but the replica's map is not, and stays open to other programs. {Why}")]
    public static partial void NotFrozen(this ILogger log, string pin, StreamName stream, string why);

    [LoggerMessage(2021, LogLevel.Warning, "No bus is set (Maplog:Bus:Uri): replicas read the log every two seconds.")]
    public static partial void NoBus(this ILogger log);

    [LoggerMessage(2022, LogLevel.Error, "From now on the replicas of {Source} follow the log: listening to the bus failed in an unforeseen way.")]
    public static partial void BusFailed(this ILogger log, string source, Exception failure);

    [LoggerMessage(2023, LogLevel.Warning, "Replica {Pin} of {Stream}: it is unknown whether the replica is level with the log, so a member of a hot-standby group that names the replica goes after other members. {Why}")]
    public static partial void LevelUnknown(this ILogger log, string pin, StreamName stream, string why);

    [LoggerMessage(2024, LogLevel.Information, "Replica {Pin} of {Stream}: the log answers with its head again.")]
    public static partial void LevelKnown(this ILogger log, string pin, StreamName stream);
}
