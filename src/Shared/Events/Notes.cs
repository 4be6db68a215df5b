using System.Text.Json.Serialization;

namespace Maplog.Events;

/// <summary>A kernel map's life begins in this stream: whatever the stream held before is over, the fold is empty again.</summary>
/// <param name="Epoch">The writer's term.</param>
/// <param name="MapId">The kernel's id of the map; with <paramref name="BootId"/> the generation.</param>
/// <param name="BootId">The kernel's boot id.</param>
/// <param name="Name">The name in the kernel, at most 15 characters.</param>
/// <param name="Shape">Type and sizes.</param>
/// <param name="Btf">The map's BTF, whole, or null; with it old history stays readable when the program is gone.</param>
/// <param name="BtfKeyType">BTF type id of the key, 0 if none.</param>
/// <param name="BtfValueType">BTF type id of the value, 0 if none.</param>
/// <param name="Probe">The probe that watches: fentry, kprobe or syscall.</param>
/// <param name="Unseen">What this probe cannot see of this map on this kernel, in sentences; a scan finds it.</param>
/// <param name="Node">The host that captured it.</param>
/// <param name="Fields">What the BTF says of key and value, for readers who do not know BTF (SQL); null: nothing.</param>
/// <param name="Frozen">Whether bpf(2) can change it no more, as a later <see cref="MapMoved"/> says; a map is opened before that is known.</param>
public sealed record MapOpened(
    int Epoch, uint MapId, string BootId, string Name, MapShape Shape, byte[]? Btf, uint BtfKeyType, uint BtfValueType, string Probe, IReadOnlyList<string> Unseen, string Node,
    MapFields? Fields = null, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Frozen = false);

/// <summary>The kernel map of this generation is gone. The fold stays as it was.</summary>
public sealed record MapClosed(int Epoch, uint MapId, string BootId);

/// <summary>
/// A writer's term begins. Changes of this epoch come from this ring. Where the ring goes on from an earlier term it holds
/// changes older than this moment: then the event's own time is that of the version before it, and this says the true one.
/// </summary>
/// <param name="Epoch">The term.</param>
/// <param name="Node">The host that writes.</param>
/// <param name="BootId">The kernel's boot id.</param>
/// <param name="RingId">The kernel's id of the ring map.</param>
/// <param name="LoggedPosition">The ring position of the stream's last record logged before this term, if it came from this very ring; else -1.</param>
/// <param name="LoggedIndex">That record's last change that was logged.</param>
/// <param name="StartedAt">When the writer began.</param>
public sealed record EpochStarted(int Epoch, string Node, string BootId, uint RingId, long LoggedPosition = -1, uint LoggedIndex = 0, DateTimeOffset StartedAt = default);

/// <summary>An interval in which a change may have gone unseen; a scan of the map follows.</summary>
/// <param name="Epoch">The writer's term.</param>
/// <param name="Reason">ring-full, unreadable, too-long: changes; skipped: calls for which the kernel did not run the hook; early: changes of maps that the daemon had not opened yet, this one's perhaps; late-attach: the map was there before the hook, or before it was pinned where it is watched; down: nothing was hooked between two daemons; detached: the hook was removed or taken over while its daemon ran; reboot: the map ended with its kernel, and with it what was not logged by then; waiting: changes of a map that waited for its predecessor's end longer than they could be kept, by the daemon or, through a restart, in a quarter of the ring; handover: what the writer before, on another node, recorded and could not log; failover: events that the log had confirmed and lost, by a failover to a server that was behind or a restore from an older backup.</param>
/// <param name="Count">Changes known to be lost; -1: unknown.</param>
/// <param name="From">Kernel time the interval begins, ns since boot; 0: not known, or before it.</param>
/// <param name="To">Kernel time it ends.</param>
public sealed record GapFound(int Epoch, string Reason, long Count, long From, long To);

/// <summary>Closes a range of versions.</summary>
/// <param name="Epoch">The writer's term.</param>
/// <param name="First">First version sealed.</param>
/// <param name="Last">Last version sealed.</param>
/// <param name="Hash">SHA-256 over the previous seal's hash and the sealed events.</param>
/// <param name="Entries">Entries that the map has at this version, but for zeros of an array; -1: it is not open.</param>
/// <param name="Content">The digest of these entries, by which a replica knows that it is the same; null: the map is not open.</param>
public sealed record Sealed(int Epoch, long First, long Last, byte[] Hash, long Entries = -1, byte[]? Content = null);

/// <summary>
/// The map goes on in another kernel map, which held the same when the term began: a replica whose node was promoted. The
/// fold stays; where the two differ, a scan's changes follow. With the id that the map had, the same map is frozen from here on.
/// </summary>
/// <param name="Epoch">The writer's term.</param>
/// <param name="MapId">The kernel's id of the map; with <paramref name="BootId"/> the generation.</param>
/// <param name="BootId">The kernel's boot id.</param>
/// <param name="Probe">The probe that watches: fentry, kprobe or syscall.</param>
/// <param name="Unseen">What this probe cannot see of this map on this kernel, in sentences; a scan finds it.</param>
/// <param name="Node">The host that captures it from here on.</param>
/// <param name="Frozen">
/// Whether bpf(2) can change the map no more, and everything that it did is in the versions before; programs may still change it.
/// Of a map that is frozen in the middle of its life such a note comes with the map's own id.
/// </param>
public sealed record MapMoved(int Epoch, uint MapId, string BootId, string Probe, IReadOnlyList<string> Unseen, string Node,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Frozen = false)
{
    /// <summary>The map's present life: what its opening said, where and how it is now.</summary>
    public MapOpened Of(MapOpened opened) => opened with { Epoch = Epoch, MapId = MapId, BootId = BootId, Probe = Probe, Unseen = Unseen, Node = Node, Frozen = Frozen };
}

/// <summary>
/// Older history goes: written before it is deleted, and nothing is deleted that such a note does not name. What the map held
/// from then on is in a snapshot at the first version that stays, which is a seal: the chain of seals begins with it.
/// </summary>
/// <param name="Epoch">The term in which it was written.</param>
/// <param name="UpTo">The last version that goes.</param>
/// <param name="SnapshotHash">The hash of the snapshot at the version after it.</param>
/// <param name="SealHash">The hash in the seal at the version after it.</param>
/// <param name="Before">What was asked for: history from before this time.</param>
/// <param name="By">Who asked: the role in Postgres.</param>
public sealed record Pruned(int Epoch, long UpTo, byte[] SnapshotHash, byte[] SealHash, DateTimeOffset Before, string By);
