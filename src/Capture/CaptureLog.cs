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

    [LoggerMessage(61, LogLevel.Error, "{Why} Changes since then may be unrecorded: the hook is attached again, a gap (detached) is logged in every stream, and the maps are scanned.")]
    public static partial void HookLost(this ILogger log, string why);

    [LoggerMessage(62, LogLevel.Error, "The log at {Place} ends before the last commit of this host (missing events: {Events}) in {Streams}: the log was restored from an older backup, or its server failed over to a server that was behind. A gap (failover) with its count is logged in each of these streams, and their maps are scanned.")]
    public static partial void LogEndsEarly(this ILogger log, string place, long events, string streams);

    [LoggerMessage(63, LogLevel.Warning, "{Stream}: the kernel has no room for the committed version of this stream. If the log is restored from an older backup, the gap in this stream will not be noticed.")]
    public static partial void HeadNotKept(this ILogger log, string stream);

    [LoggerMessage(64, LogLevel.Warning, "{Holder} still has the hook in {Folder}, but does not run: it is suspended. Its lease has expired, and this daemon continues with the hook. End that process.")]
    public static partial void WithoutLock(this ILogger log, string holder, string folder);

    [LoggerMessage(5, LogLevel.Information, "{Stream}: map {MapId} ({Type}, key {KeySize} bytes, value {ValueSize} bytes) is watched; known from before: {IsSame}.")]
    public static partial void MapOpened(this ILogger log, string stream, uint mapId, string type, int keySize, int valueSize, bool isSame);

    [LoggerMessage(6, LogLevel.Information, "{Stream}: map {MapId} is gone.")]
    public static partial void MapClosed(this ILogger log, string stream, uint mapId);

    [LoggerMessage(7, LogLevel.Warning, "{Sentence}")]
    public static partial void CannotReplicate(this ILogger log, string sentence);

    [LoggerMessage(8, LogLevel.Information, "Map {MapId} is for stream {Stream} too, but map {Older} has that stream: the newer map takes over, with all its changes, when the older map is gone. To log both, give one of them another stream name (NAME=STREAM).")]
    public static partial void SecondMap(this ILogger log, uint mapId, string stream, uint older);

    [LoggerMessage(120, LogLevel.Warning, "{Stream}: {Pin} now leads to map {MapId}: the stream continues with this map, and map {Older} is no longer logged.")]
    public static partial void PinMoved(this ILogger log, string stream, string pin, uint mapId, uint older);

    [LoggerMessage(9, LogLevel.Warning, "No map matches '{Target}' yet: capture watches for it, and logs it when it appears.")]
    public static partial void NoSuchMap(this ILogger log, string target);

    [LoggerMessage(10, LogLevel.Warning, "{Stream}: changes were not recorded ({Reason}), number: {Count}; a gap is logged and the map is scanned.")]
    public static partial void Lost(this ILogger log, string stream, ulong count, string reason);

    [LoggerMessage(18, LogLevel.Warning, "{Stream}: the kernel skipped the hook, because a task on the same CPU was preempted in the middle of it. Calls without a record: {Count}; a batch is one call. A gap is logged and the map is scanned.")]
    public static partial void Skipped(this ILogger log, string stream, ulong count);

    [LoggerMessage(11, LogLevel.Warning, "The log is not available: {Reason} Trying again; the ring keeps the changes.")]
    public static partial void LogAway(this ILogger log, string reason);

    [LoggerMessage(12, LogLevel.Information, "The log is available again.")]
    public static partial void LogBack(this ILogger log);

    [LoggerMessage(13, LogLevel.Warning, "{Why} Waiting for the log.")]
    public static partial void WaitingForLog(this ILogger log, string why);

    [LoggerMessage(15, LogLevel.Information, "Stopped. Events committed in this run: {Committed}. Bytes left in the ring: {Left}.")]
    public static partial void Stopped(this ILogger log, long committed, ulong left);

    [LoggerMessage(16, LogLevel.Critical, "{Sentence}")]
    public static partial void Fatal(this ILogger log, string sentence);

    [LoggerMessage(19, LogLevel.Information, "Standing by: node {Node} writes source {Source} in epoch {Epoch}{State}. `maplog promote {Source}` on this node takes over.")]
    public static partial void StandingBy(this ILogger log, string source, string node, int epoch, string state);

    [LoggerMessage(29, LogLevel.Information, "Standing by: another daemon of this node writes source {Source}, in epoch {Epoch}; this daemon takes over when the other one ends.")]
    public static partial void StandingByOwn(this ILogger log, string source, int epoch);

    [LoggerMessage(30, LogLevel.Information, "Standing by: this node gave source {Source} to node {Successor}, which has not begun yet. If the promotion fails, this node continues.")]
    public static partial void StandingByForSuccessor(this ILogger log, string source, string successor);

    [LoggerMessage(20, LogLevel.Information, "Source {Source} is handed over to node {Successor}: everything that was recorded is logged, and this node no longer records.")]
    public static partial void GaveWay(this ILogger log, string source, string successor);

    [LoggerMessage(28, LogLevel.Error, "Source {Source} is handed over to node {Successor}, but not everything that was recorded could be logged: the successor logs a gap.")]
    public static partial void GaveWayInPart(this ILogger log, string source, string successor);

    [LoggerMessage(21, LogLevel.Warning, "Node {Node} wrote source {Source} until epoch {Epoch}: the records of the hook on this node from that time do not belong to its history, and were dropped.")]
    public static partial void ForgotPast(this ILogger log, string source, string node, int epoch);

    [LoggerMessage(22, LogLevel.Information, "{Stream}: map {MapId}, its replica until now, is now the logged map.")]
    public static partial void MapAdopted(this ILogger log, string stream, uint mapId);

    [LoggerMessage(24, LogLevel.Information, "{Stream}: snapshot at version {Version} (entries: {Entries}), written in {Seconds:0.0} s.")]
    public static partial void SnapshotTaken(this ILogger log, string stream, long version, long entries, double seconds);

    [LoggerMessage(25, LogLevel.Error, "{Sentence}")]
    public static partial void SnapshotDamaged(this ILogger log, string sentence);

    [LoggerMessage(26, LogLevel.Warning, "{Reason} {What} wait for the log; the capture does not wait.")]
    public static partial void KeepingWaits(this ILogger log, string what, string reason);

    [LoggerMessage(27, LogLevel.Information, "{Stream}: history up to version {UpTo} will be pruned; the prune record is written.")]
    public static partial void PruneRecorded(this ILogger log, string stream, long upTo);

    [LoggerMessage(17, LogLevel.Information, "A commit was already in the log (events: {Count}): its answer had been lost.")]
    public static partial void CommitRecognised(this ILogger log, int count);

    [LoggerMessage(32, LogLevel.Warning, "Another session waited for its client in the middle of a commit for this source, and blocked the commit of this daemon, so the session was ended. It belonged to the previous writer, which hangs.")]
    public static partial void EndedPredecessor(this ILogger log);

    [LoggerMessage(33, LogLevel.Error, "{Reason} The capture continues where the log ends, with the present content of its maps; a gap shows the loss.")]
    public static partial void CommitsLost(this ILogger log, string reason);

    [LoggerMessage(31, LogLevel.Error, "The capture has stood still for {Seconds} s while {Doing} (its last commit: {Commit}), and records wait in the ring. If this does not end, restart the capture: nothing is lost while the ring has room. Please report this line.")]
    public static partial void StandsStill(this ILogger log, long seconds, string doing, string commit);

    [LoggerMessage(90, LogLevel.Warning, "{Sentence}")]
    public static partial void PinsUnseen(this ILogger log, string sentence);

    [LoggerMessage(40, LogLevel.Warning, "Map {Map} has a watched name, but this process may not open it ({Errno}): a security module, seccomp or a container's cgroup rules forbid it. Its changes are not recorded. Capture tries again each second, and records the changes from the moment at which it can open the map.")]
    public static partial void MapRefused(this ILogger log, string map, string errno);

    [LoggerMessage(41, LogLevel.Information, "This process may not open {Count} of this kernel (ids {Ids}), so their names are unknown. If a map has a watched name, its first change shows the name.")]
    public static partial void MapsRefused(this ILogger log, string count, string ids);

    [LoggerMessage(42, LogLevel.Warning, "'{Target}' means no map: {Reason} Capture tries again each second.")]
    public static partial void PinRefused(this ILogger log, string target, string reason);

    [LoggerMessage(43, LogLevel.Warning, "{Stream}: map {MapId} cannot be read ({Errno}). Its changes are recorded; scans and read-backs of it wait until it can be read.")]
    public static partial void MapUnreadable(this ILogger log, string stream, uint mapId, string errno);

    [LoggerMessage(44, LogLevel.Warning, "{Stream}: more maps of this name were created, changed and closed while map {MapId} lives, number: {Maps}. The log will have {Max} of them, and a gap with the number of changes of the others. Watch the right map by its pin, or give the other maps another name.")]
    public static partial void GenerationsDropped(this ILogger log, string stream, int maps, uint mapId, int max);

    [LoggerMessage(46, LogLevel.Information, "{Stream}: this kernel does not let the capture walk over the elements of map {MapId}: {Reason}. The capture reads the map by bpf(2) instead, which takes ten times as long, so changes in place of a large map are found later.")]
    public static partial void NotWalked(this ILogger log, string stream, uint mapId, string reason);

    [LoggerMessage(47, LogLevel.Information, "The last look at the watched maps ({Maps}) is over. Changes that no hook saw: {Changes}. Maps that could not be read in time: {NotLookedAt}; each has a gap in its stream.")]
    public static partial void LookedOnce(this ILogger log, int maps, long changes, int notLookedAt);

    [LoggerMessage(48, LogLevel.Warning, "{Stream}: the rule {Rule} names no bytes of this map's values ({Size} bytes), so it does nothing. 'maplog describe' lists the fields.")]
    public static partial void NoSuchField(this ILogger log, string stream, string rule, int size);

    [LoggerMessage(45, LogLevel.Information, "Lines about short-lived maps were left out, number: {Count}. At most {Max} a minute are written for each stream. The log has all of these maps.")]
    public static partial void MapLinesLeftOut(this ILogger log, int count, int max);
}
