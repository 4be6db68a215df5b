using Microsoft.Extensions.Logging;

namespace Maplog.Capture;

/// <summary>What the daemon says, with ids that stay.</summary>
internal static partial class CaptureLog
{
    [LoggerMessage(1, LogLevel.Information, "Capturing source {Source} on {Node} in epoch {Epoch} with the {Probe} probe{Resumed}.")]
    public static partial void Started(this ILogger log, string source, string node, int epoch, string probe, string resumed);

    [LoggerMessage(2, LogLevel.Information, "Probe not used: {Trial}")]
    public static partial void ProbeRefused(this ILogger log, string trial);

    [LoggerMessage(3, LogLevel.Warning, "{Function} is not hooked: {Failure}")]
    public static partial void NotHooked(this ILogger log, string function, string failure);

    [LoggerMessage(4, LogLevel.Information, "{Sentence}")]
    public static partial void Unseen(this ILogger log, string sentence);

    [LoggerMessage(60, LogLevel.Warning, "{Sentence}")]
    public static partial void Blind(this ILogger log, string sentence);

    [LoggerMessage(61, LogLevel.Error, "{Why} What was changed since then may be unrecorded: the hook is attached again, a gap (detached) is logged in every stream, and the maps are scanned.")]
    public static partial void HookLost(this ILogger log, string why);

    [LoggerMessage(62, LogLevel.Error, "The log at {Place} ends {Events} events before what this host has committed to it, in {Streams}: it was restored from an older backup, or its server failed over to one that was behind. A gap (failover) with its count is logged in each of these streams, and their maps are scanned.")]
    public static partial void LogEndsEarly(this ILogger log, string place, long events, string streams);

    [LoggerMessage(63, LogLevel.Warning, "{Stream}: the kernel has no room to note beside the hook how far this stream is committed. If the log is restored from an older backup, the gap in this stream will not be noticed.")]
    public static partial void HeadNotKept(this ILogger log, string stream);

    [LoggerMessage(64, LogLevel.Warning, "{Holder} has the hook in {Folder} still, and does not run: it is suspended. Its lease has run out, and this daemon goes on with the hook. End that process.")]
    public static partial void WithoutLock(this ILogger log, string holder, string folder);

    [LoggerMessage(5, LogLevel.Information, "{Stream}: map {MapId} ({Type}, key {KeySize} bytes, value {ValueSize} bytes) is watched; known from before: {IsSame}.")]
    public static partial void MapOpened(this ILogger log, string stream, uint mapId, string type, int keySize, int valueSize, bool isSame);

    [LoggerMessage(6, LogLevel.Information, "{Stream}: map {MapId} is gone.")]
    public static partial void MapClosed(this ILogger log, string stream, uint mapId);

    [LoggerMessage(7, LogLevel.Warning, "{Sentence}")]
    public static partial void CannotReplicate(this ILogger log, string sentence);

    [LoggerMessage(8, LogLevel.Information, "Map {MapId} would be stream {Stream} too, but map {Older} is: the newer takes over, with all its changes, when the older is gone. Give one of them another stream name (NAME=STREAM) to log both.")]
    public static partial void SecondMap(this ILogger log, uint mapId, string stream, uint older);

    [LoggerMessage(120, LogLevel.Warning, "{Stream}: {Pin} leads to map {MapId} now: the stream goes on with it, and map {Older} is no longer logged.")]
    public static partial void PinMoved(this ILogger log, string stream, string pin, uint mapId, uint older);

    [LoggerMessage(9, LogLevel.Warning, "No map is '{Target}' yet: it is watched for, and caught when it comes.")]
    public static partial void NoSuchMap(this ILogger log, string target);

    [LoggerMessage(10, LogLevel.Warning, "{Stream}: {Count} changes were not recorded ({Reason}); a gap is logged and the map is scanned.")]
    public static partial void Lost(this ILogger log, string stream, ulong count, string reason);

    [LoggerMessage(18, LogLevel.Warning, "{Stream}: the kernel skipped the hook {Count} times, on a CPU where a task was held up in the middle of it: the changes of so many calls, a batch being one, are in no record. A gap is logged and the map is scanned.")]
    public static partial void Skipped(this ILogger log, string stream, ulong count);

    [LoggerMessage(11, LogLevel.Warning, "The log is away: {Reason} Trying again; the ring keeps what happens.")]
    public static partial void LogAway(this ILogger log, string reason);

    [LoggerMessage(12, LogLevel.Information, "The log is back.")]
    public static partial void LogBack(this ILogger log);

    [LoggerMessage(13, LogLevel.Warning, "{Why} Waiting for it.")]
    public static partial void WaitingForLog(this ILogger log, string why);

    [LoggerMessage(15, LogLevel.Information, "Stopped: {Committed} events committed in this run; {Left} bytes are left in the ring.")]
    public static partial void Stopped(this ILogger log, long committed, ulong left);

    [LoggerMessage(16, LogLevel.Critical, "{Sentence}")]
    public static partial void Fatal(this ILogger log, string sentence);

    [LoggerMessage(19, LogLevel.Information, "Standing by: source {Source} is written by node {Node} in epoch {Epoch}{State}. `maplog promote {Source}` on this node takes over.")]
    public static partial void StandingBy(this ILogger log, string source, string node, int epoch, string state);

    [LoggerMessage(29, LogLevel.Information, "Standing by: source {Source} is written by another daemon of this node, in epoch {Epoch}; this one takes over when that one ends.")]
    public static partial void StandingByOwn(this ILogger log, string source, int epoch);

    [LoggerMessage(30, LogLevel.Information, "Standing by: this node gave source {Source} up to node {Successor}, which has not begun yet. If the promotion comes to nothing, this node goes on.")]
    public static partial void StandingByForSuccessor(this ILogger log, string source, string successor);

    [LoggerMessage(20, LogLevel.Information, "Source {Source} is handed over to node {Successor}: all that was recorded is logged, and nothing is recorded here any more.")]
    public static partial void GaveWay(this ILogger log, string source, string successor);

    [LoggerMessage(28, LogLevel.Error, "Source {Source} is handed over to node {Successor}, but not all that was recorded could be logged: the successor logs a gap.")]
    public static partial void GaveWayInPart(this ILogger log, string source, string successor);

    [LoggerMessage(21, LogLevel.Warning, "Source {Source} was written by node {Node} until epoch {Epoch}: what the hook recorded here meanwhile is not its history and was dropped.")]
    public static partial void ForgotPast(this ILogger log, string source, string node, int epoch);

    [LoggerMessage(22, LogLevel.Information, "{Stream}: map {MapId}, kept as its replica until now, is the map that is logged.")]
    public static partial void MapAdopted(this ILogger log, string stream, uint mapId);

    [LoggerMessage(24, LogLevel.Information, "{Stream}: snapshot at version {Version}, {Entries} entries, {Seconds:0.0} s.")]
    public static partial void SnapshotTaken(this ILogger log, string stream, long version, long entries, double seconds);

    [LoggerMessage(25, LogLevel.Error, "{Sentence}")]
    public static partial void SnapshotDamaged(this ILogger log, string sentence);

    [LoggerMessage(26, LogLevel.Warning, "{Reason} {What} wait for it; nothing of the capture does.")]
    public static partial void KeepingWaits(this ILogger log, string what, string reason);

    [LoggerMessage(27, LogLevel.Information, "{Stream}: history up to version {UpTo} is to be pruned; the record of it is written.")]
    public static partial void PruneRecorded(this ILogger log, string stream, long upTo);

    [LoggerMessage(17, LogLevel.Information, "Commit of {Count} events was already in the log: its answer was lost.")]
    public static partial void CommitRecognised(this ILogger log, int count);

    [LoggerMessage(32, LogLevel.Warning, "Another session had waited for its client in the middle of a commit for this source, and held up this daemon's: it was ended. It is the writer before, which hangs.")]
    public static partial void EndedPredecessor(this ILogger log);

    [LoggerMessage(33, LogLevel.Error, "{Reason} It goes on where the log ends, with what its maps hold now; a gap tells of the rest.")]
    public static partial void CommitsLost(this ILogger log, string reason);

    [LoggerMessage(31, LogLevel.Error, "The capture has stood still for {Seconds} s while {Doing} (its last commit: {Commit}), and records wait in the ring. If that does not end, restart it: nothing is lost while the ring has room. Please report this line.")]
    public static partial void StandsStill(this ILogger log, long seconds, string doing, string commit);

    [LoggerMessage(90, LogLevel.Warning, "{Sentence}")]
    public static partial void PinsUnseen(this ILogger log, string sentence);

    [LoggerMessage(40, LogLevel.Warning, "Map {Map} has a watched name, but this process may not open it ({Errno}): a security module, seccomp or a container's cgroup rules forbid it. Its changes are not recorded. It is tried again each second, and recorded from the moment it can be opened.")]
    public static partial void MapRefused(this ILogger log, string map, string errno);

    [LoggerMessage(41, LogLevel.Information, "This process may not open {Count} of this kernel (ids {Ids}), so their names are not known. If one has a watched name, its first change shows it.")]
    public static partial void MapsRefused(this ILogger log, string count, string ids);

    [LoggerMessage(42, LogLevel.Warning, "'{Target}' means no map: {Reason} It is tried again each second.")]
    public static partial void PinRefused(this ILogger log, string target, string reason);

    [LoggerMessage(43, LogLevel.Warning, "{Stream}: map {MapId} cannot be read ({Errno}). Its changes are recorded; scans and read-backs of it wait until it can be read.")]
    public static partial void MapUnreadable(this ILogger log, string stream, uint mapId, string errno);

    [LoggerMessage(44, LogLevel.Warning, "{Stream}: {Maps} more maps of this name were made, changed and ended while map {MapId} lives. {Max} of them are kept for the log; of the others it has a gap with the number of their changes. Watch the map that is meant by its pin, or give the others another name.")]
    public static partial void GenerationsDropped(this ILogger log, string stream, int maps, uint mapId, int max);

    [LoggerMessage(45, LogLevel.Information, "{Count} more lines about maps that came and went were left out: at most {Max} a minute are written for each stream. The log has all of these maps.")]
    public static partial void MapLinesLeftOut(this ILogger log, int count, int max);
}
