using Maplog.Events;
using Microsoft.Extensions.Logging;

namespace Maplog.Replicator;

/// <summary>What the replicator says; the numbers are stable.</summary>
internal static partial class ReplicaLog
{
    [LoggerMessage(2001, LogLevel.Information, "Replica {Pin} of {Stream}: map id {MapId} is open at version {Version} of epoch {Epoch}.")]
    public static partial void Opened(this ILogger log, string pin, StreamName stream, uint mapId, long version, int epoch);

    [LoggerMessage(2002, LogLevel.Information, "Replica {Pin} of {Stream}: building it from the log. {Why}")]
    public static partial void Building(this ILogger log, string pin, StreamName stream, string why);

    [LoggerMessage(2003, LogLevel.Information, "Replica {Pin} of {Stream}: built, {Entries} entries at version {Version} ({Written} written, {Deleted} deleted).")]
    public static partial void Built(this ILogger log, string pin, StreamName stream, long entries, long version, long written, long deleted);

    [LoggerMessage(2004, LogLevel.Information, "Replica {Pin} of {Stream}: following the bus at version {Version}; {FromLog} events were read from the log since the start, {FromBus} came by the bus.")]
    public static partial void Following(this ILogger log, string pin, StreamName stream, long version, long fromLog, long fromBus);

    [LoggerMessage(2005, LogLevel.Warning, "Replica {Pin} of {Stream}: nothing heard on the bus, following the log at version {Version} by looking every two seconds; {FromLog} events were read from the log since the start, {FromBus} came by the bus.")]
    public static partial void Polling(this ILogger log, string pin, StreamName stream, long version, long fromLog, long fromBus);

    [LoggerMessage(2006, LogLevel.Information, "Replica {Pin} of {Stream}: catching up from the log, versions {From} to {To}.")]
    public static partial void CatchingUp(this ILogger log, string pin, StreamName stream, long from, long to);

    [LoggerMessage(2007, LogLevel.Warning, "Replica {Pin} of {Stream}: waiting. {Why}")]
    public static partial void Waiting(this ILogger log, string pin, StreamName stream, string why);

    [LoggerMessage(2008, LogLevel.Error, "{Sentence}")]
    public static partial void Refused(this ILogger log, string sentence);

    [LoggerMessage(2009, LogLevel.Information, "Replica {Pin} of {Stream}: the kernel takes its writes again, at version {Version}.")]
    public static partial void Accepted(this ILogger log, string pin, StreamName stream, long version);

    [LoggerMessage(2010, LogLevel.Warning, "Replica {Pin} of {Stream}: a message on the bus cannot be used, what it carried is read from the log. {Why}")]
    public static partial void Broken(this ILogger log, string pin, StreamName stream, string why);

    [LoggerMessage(2011, LogLevel.Warning, "Replica {Pin} of {Stream}: {Why} It stays at version {Version} and looks again.")]
    public static partial void LogAway(this ILogger log, string pin, StreamName stream, string why, long version);

    [LoggerMessage(2012, LogLevel.Information, "Replica {Pin} of {Stream}: stopped at version {Version}; {FromLog} events were read from the log since the start, {FromBus} came by the bus.")]
    public static partial void Stopped(this ILogger log, string pin, StreamName stream, long version, long fromLog, long fromBus);

    [LoggerMessage(2013, LogLevel.Critical, "Replica {Pin} of {Stream} ends. {Why}")]
    public static partial void Ended(this ILogger log, string pin, StreamName stream, string why);

    [LoggerMessage(2014, LogLevel.Warning, "This process is not in the initial pid namespace: a capture on this host cannot recognise its writes and would log them again. Run the replicator with the host's pid namespace (docker run --pid=host), unless no capture runs here.")]
    public static partial void OtherNamespace(this ILogger log);

    [LoggerMessage(2015, LogLevel.Debug, "Replica {Pin} of {Stream}: reading versions {From} to {To} from the log.")]
    public static partial void Reading(this ILogger log, string pin, StreamName stream, long from, long to);

    [LoggerMessage(2016, LogLevel.Information, "Replica {Pin} of {Stream}: it is another map from now on. {Why}")]
    public static partial void Replacing(this ILogger log, string pin, StreamName stream, string why);

    [LoggerMessage(2017, LogLevel.Critical, "{Sentence}")]
    public static partial void Failed(this ILogger log, string sentence);

    [LoggerMessage(2018, LogLevel.Warning, "{Why} Waiting for it.")]
    public static partial void WaitingForLog(this ILogger log, string why);

    [LoggerMessage(2026, LogLevel.Warning, "Replica {Pin} of {Stream}: somebody else has written into its map; {Written} entries were written and {Deleted} deleted to make it what the log comes to at version {Version}. Find out who does: nothing but the replicator may. ({Evicted} entries of the log were evicted by its own kernel.)")]
    public static partial void Repaired(this ILogger log, string pin, StreamName stream, long written, long deleted, long version, long evicted);

    [LoggerMessage(2025, LogLevel.Warning, "Replica {Pin} of {Stream}: the map pinned there is the very map that the stream is logged from. It rests until another node is promoted to write the source; if that was not meant, choose another pin.")]
    public static partial void IsSource(this ILogger log, string pin, StreamName stream);

    [LoggerMessage(2019, LogLevel.Warning, "`maplog status` hears nothing of the replicas of this host: {Why}")]
    public static partial void NotReported(this ILogger log, string why);

    [LoggerMessage(2027, LogLevel.Information, "Replica {Pin} of {Stream}: begins with the snapshot at version {Version}, {Entries} entries; the events since follow.")]
    public static partial void Loaded(this ILogger log, string pin, StreamName stream, long version, long entries);

    [LoggerMessage(2028, LogLevel.Error, "Replica {Pin} of {Stream}: a snapshot cannot be used, an earlier one or the history is read instead. {Why}")]
    public static partial void SnapshotDamaged(this ILogger log, string pin, StreamName stream, string why);

    [LoggerMessage(2030, LogLevel.Warning, "Replica {Pin} of {Stream}: {Found}; the pin leads to the replica's map again. Find out which program changed it.")]
    public static partial void PinRestored(this ILogger log, string pin, StreamName stream, string found);

    [LoggerMessage(2031, LogLevel.Warning, "{Sentences}")]
    public static partial void RegistryPins(this ILogger log, string sentences);

    [LoggerMessage(2032, LogLevel.Warning, "Replica {Pin} of {Stream}: its map is {Map}, the source's is {SourceMap}. The replica goes on in its map, which can hold every entry; set OnNewShape to Recreate to have it replaced by a map of the source's kind.")]
    public static partial void OtherKind(this ILogger log, string pin, StreamName stream, string map, string sourceMap);

    [LoggerMessage(2033, LogLevel.Warning, "{Sentence}")]
    public static partial void Unseen(this ILogger log, string sentence);

    [LoggerMessage(2034, LogLevel.Information, "Replica {Pin} of {Stream}: the source's map is frozen, and so is the replica's from now on.")]
    public static partial void Frozen(this ILogger log, string pin, StreamName stream);

    [LoggerMessage(2035, LogLevel.Warning, "Replica {Pin} of {Stream}: the source's map is frozen, the replica's is not and stays open to other programs. {Why}")]
    public static partial void NotFrozen(this ILogger log, string pin, StreamName stream, string why);

    [LoggerMessage(2021, LogLevel.Warning, "No bus is set (Maplog:Bus:Uri): replicas look into the log every two seconds.")]
    public static partial void NoBus(this ILogger log);

    [LoggerMessage(2022, LogLevel.Error, "The replicas of {Source} follow the log from now on: hearing the bus failed in a way that was not foreseen.")]
    public static partial void BusFailed(this ILogger log, string source, Exception failure);

    [LoggerMessage(2023, LogLevel.Warning, "Replica {Pin} of {Stream}: whether it is level with the log is not known, and a member of a hot-standby group that names it stays behind others. {Why}")]
    public static partial void LevelUnknown(this ILogger log, string pin, StreamName stream, string why);

    [LoggerMessage(2024, LogLevel.Information, "Replica {Pin} of {Stream}: the log tells its head again.")]
    public static partial void LevelKnown(this ILogger log, string pin, StreamName stream);
}
