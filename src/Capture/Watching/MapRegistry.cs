using System.Collections.Concurrent;
using Maplog.Btf;
using Maplog.Capture.Pipeline;
using Maplog.Events;
using Maplog.Folding;
using Maplog.Hooking;
using Maplog.Kernel;
using Maplog.Replicas;
using Microsoft.Extensions.Logging;

namespace Maplog.Capture.Watching;

/// <summary>The watched maps of this node: finds them, opens their streams' next generation, notices when they are gone.</summary>
internal sealed class MapRegistry(
    string source, string node, IReadOnlyList<WatchedTarget> targets, HostRegistries replicators, CaptureHook hook, EventSink sink, BatchFeed feed, ILogger log)
{
    private const long MakeWithin = 10_000_000_000, JudgedEvery = 1_000_000_000;

    private readonly Dictionary<uint, CapturedMap> _maps = [];
    private readonly Dictionary<string, CapturedStream> _streams = [];
    private readonly HashSet<uint> _others = [], _dropsToldOf = [];
    private readonly WaitingMaps _waiting = new();
    private readonly RefusedMaps _refused = new(log);
    private readonly WatchedPins _watched = new(targets);
    private readonly UnloggableMaps _unloggable = new(targets);
    private readonly BtfReader _btf = new();
    private readonly MapLives _lives = new(log);
    private readonly LossLedger _losses = new(new HookLosses(hook), (map, reason, count, from, to) => ReportLoss(map, reason, count, from, to, sink, log));
    // What was there before the hook was: its changes until then went unseen.
    private readonly HashSet<uint> _before = hook.IsResumed ? [] : [.. BpfMap.Ids()];
    // Losses of maps that no daemon had opened yet, as far as the log tells of them.
    private Losses _early = hook.ReadAccount(0).Losses;
    private readonly ConcurrentQueue<(StreamName Stream, Pruned Record)> _asked = new();
    // Written before the first commit begins, read after it.
    private readonly List<uint> _adopted = [];
    // Streams of which the log has lost events: what it knows of their maps is not what was known when they were watched.
    private readonly HashSet<string> _cut = [];
    private bool _isStart = true;
    private long? _makingSince;
    private long _judgedAt;
    private CapturedMap? _last;
    private Look? _look;
    private volatile WatchTroubles _troubles = WatchTroubles.None;

    public IReadOnlyCollection<CapturedMap> Maps => _maps.Values;

    /// <summary>Which bytes of values count as changes in place.</summary>
    public VolatileRules Rules { get; init; } = VolatileRules.None;

    /// <summary>The losses of the captured maps.</summary>
    public LossLedger Losses => _losses;

    /// <summary>Kernel time since which nothing was hooked, if the hook was lost while this daemon ran; null: it was not lost so.</summary>
    public long? UnhookedSince { get; init; }

    /// <summary>What the watch set means and the log does not have, as of the last look. Any thread may ask.</summary>
    public WatchTroubles Troubles { get => _troubles; private set => _troubles = value; }

    /// <summary>Whether a map has ended for whose end another waits.</summary>
    public bool HasPredecessorEnded() =>
        _waiting.Count > 0 && _waiting.Streams.Any(name => _streams[name].Map is not { } map || !BpfMap.Exists(map.Id));

    /// <summary>
    /// Takes over a stream that an earlier term wrote. Its map goes on if it still lives, or if the ring may still hold what was
    /// done to it: then it is closed when the ring has been read that far.
    /// </summary>
    /// <param name="stream">The stream.</param>
    /// <param name="fold">What it comes to; null: it is another node's.</param>
    public void TakeUp(CapturedStream stream, StreamFold? fold)
    {
        _streams[stream.Name.Map] = stream;
        if (fold is not { IsOpen: true, Generation: { } opened })
            return;
        var info = new MapInfo(opened.MapId, opened.Name, (MapType)opened.Shape.Type, opened.Shape.KeySize, opened.Shape.ValueSize, opened.Shape.MaxEntries, (uint)opened.Shape.Flags, 0, 0, 0);
        if ((hook.IsResumed || BpfMap.Exists(info.Id)) && IsMeant(info, stream.Name.Map))
        {
            GoOn(stream, fold, info);
            return;
        }
        // What was done to it before its end nobody has recorded.
        if (!hook.IsResumed)
            NoteUnhooked(stream);
        sink.Note(stream, new MapClosed(sink.Epoch.Value, info.Id, Boot.Id), KernelClock.Now);
    }

    // A map whose pin leads to another one now is closed by the first look, when the ring has been read that far.
    private bool IsMeant(MapInfo map, string stream)
    {
        var pins = _watched.Look();
        return pins.Means(map.Id, map.Name, stream) || pins.LostPinOf(map.Id, map.Name, stream) is not null
            || hook.IsResumed && hook.SlotOf(map.Id) is not null && pins.CanHaveMeant(map.Name, stream);
    }

    /// <summary>Takes over a stream whose map ended with an earlier boot of this node, and the ring with it: what was not logged by then nobody knows.</summary>
    public void CloseAfterReboot(CapturedStream stream, MapOpened opened)
    {
        _streams[stream.Name.Map] = stream;
        sink.Note(stream, new GapFound(sink.Epoch.Value, "reboot", -1, 0, KernelClock.Now), KernelClock.Now);
        sink.Note(stream, new MapClosed(sink.Epoch.Value, opened.MapId, opened.BootId), KernelClock.Now);
    }

    /// <summary>Goes on with a stream of another node in the map that was its replica here.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="fold">What it comes to.</param>
    /// <param name="info">The map.</param>
    /// <param name="isWhole">Whether the writer before had logged all that it recorded.</param>
    public void Adopt(CapturedStream stream, StreamFold fold, MapInfo info, bool isWhole)
    {
        _streams[stream.Name.Map] = stream;
        _adopted.Add(info.Id);
        if (!isWhole)
            sink.Note(stream, new GapFound(sink.Epoch.Value, "handover", -1, 0, KernelClock.Now), KernelClock.Now);
        sink.Note(stream, new MapMoved(sink.Epoch.Value, info.Id, Boot.Id, hook.Probe.Name(), hook.Unseen(info.Type), node), KernelClock.Now);
        var shape = fold.Generation!.Shape;
        feed.Resume(stream.Handle, shape);
        var hidden = VolatileBytesOf(stream, fold.Generation);
        Watch(new CapturedMap(stream, info.Id, info.Name, shape, KnownContent.Of(fold.Entries, shape, hidden), SlotOf(info), sink) { KernelBytes = KernelBytesOf(info.Id, fold.Generation), VolatileBytes = hidden }, KernelClock.Now);
        log.MapAdopted(stream.Name.ToString(), info.Id);
    }

    /// <summary>Notes in a stream that the log ends before what was committed to it.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="events">How many events are gone.</param>
    public void NoteCut(CapturedStream stream, long events)
    {
        _cut.Add(stream.Name.Map);
        sink.Note(stream, new GapFound(sink.Epoch.Value, "failover", events, stream.LoggedUntil, KernelClock.Now), KernelClock.Now);
    }

    /// <summary>Begins a stream again that the log has lost as a whole.</summary>
    /// <param name="name">The map's half of its name.</param>
    /// <param name="events">How many events are gone.</param>
    public void BeginAgain(string name, long events)
    {
        _streams[name] = NewStream(name, KernelClock.Now);
        NoteCut(_streams[name], events);
    }

    /// <summary>Looks whether the hook still records every map that is captured.</summary>
    /// <returns>A sentence about one that it does not; null: there is none.</returns>
    public string? FindUnwatched()
    {
        foreach (var map in _maps.Values)
        {
            // No verdict at all is none against it: the hash for high ids may be full, and then the hook judges by the name each time.
            if (hook.SlotOf(map.Id) is { } slot ? slot != map.Slot : hook.IsIgnored(map.Id))
                return $"Another process has changed the hook so that it no longer records map {map.Name} (id {map.Id}) of stream {map.Stream.Name}.";
        }
        return null;
    }

    /// <summary>What was told to the sink is in the log: adopted maps are replicas no more.</summary>
    public void Committed()
    {
        if (_adopted.Count == 0)
            return;
        foreach (var id in _adopted)
            replicators.RemoveReplica(id);
        _adopted.Clear();
    }

    /// <summary>Hands a ring record to the map whose it is. Of one that is not watched, or gone before anybody could look at it, it is dropped.</summary>
    public void Take(in RingRecord record)
    {
        ref readonly var header = ref RecordHeader.Of(record.Data);
        var isSeen = header.Operation == RecordOperation.MapSeen;
        if (_last?.Id != header.MapId && !_maps.TryGetValue(header.MapId, out _last) && !_waiting.Contains(header.MapId) && !_others.Contains(header.MapId))
            _last = Meet(header.MapId, (long)header.Time, isSeen ? MapSeen.Of(record.Data) : null);
        if (_last is not null && !isSeen)
            _last.Take(record);
        else if (_last is null && _waiting.TryGet(header.MapId, out var waiting))
            waiting.Take(record, isSeen);
    }

    /// <summary>Up to where the ring can be released: what was recorded of maps that wait stays in it, as far as there is room.</summary>
    /// <param name="upTo">Up to here all else is committed.</param>
    /// <param name="most">Bytes that may stay.</param>
    public ulong ReleasableUpTo(ulong upTo, ulong most) => _waiting.ReleasableUpTo(upTo, most);

    /// <summary>Looks at all maps of the kernel. What it saw counts when the ring is read that far: <see cref="TakeLook"/>.</summary>
    public void LookAround()
    {
        if (_look is not null)
            return;
        // Before the walk: a verdict that was there and whose map is not among all maps then is one of a map that is gone.
        // The hash has 65,536 buckets to walk, and where maps end again and again there are twenty looks a second.
        var isDue = KernelClock.Now - _judgedAt >= JudgedEvery;
        IReadOnlyList<uint> judged = isDue ? hook.JudgedBeyond() : [];
        if (isDue)
            _judgedAt = KernelClock.Now;
        _look = new Look([.. BpfMap.Ids()], [.. _maps.Keys], [.. _waiting.Ids], judged, hook.Ring.ProducerPosition);
    }

    /// <summary>
    /// Opens maps that were seen by <see cref="LookAround"/> and are new, closes those that were gone. Not before all records
    /// from before that look are read: what they tell of a map that is gone comes before its end, and before its successor.
    /// </summary>
    /// <returns>Whether a map was closed.</returns>
    public bool TakeLook()
    {
        if (_look is not { } look || hook.Ring.Cursor < look.RingEnd)
            return false;
        _look = null;
        var pins = _watched.Look(_refused.Add);
        var found = Describe(look, pins);
        // In this order: a map that was seen by the look is in the second, or in the making.
        var isMaking = IsMaking();
        var replicas = replicators.Replicas();
        var gone = look.Watched.Where(id => !look.Alive.Contains(id)).Select(_maps.GetValueOrDefault).OfType<CapturedMap>().ToList();
        foreach (var map in gone)
        {
            Close(map);
            LetFollow(map.Stream.Name.Map, look, replicas);
        }
        DropSuperfluous(look);
        _others.IntersectWith(look.Alive);
        _unloggable.Forget(look.Alive);
        foreach (var id in look.Judged.Where(id => !look.Alive.Contains(id)))
            hook.Forget(id);
        NoteFrozen();
        if (isMaking)
            return gone.Count > 0;
        var notFollowed = FollowPins(pins, replicas);
        foreach (var info in found)
        {
            if (!_maps.ContainsKey(info.Id) && !_waiting.Contains(info.Id) && BpfMap.Exists(info.Id))
                Consider(info, KernelClock.Now, pins, replicas);
        }
        Troubles = FindTroubles(look, pins, notFollowed);
        _refused.EndLook(look.Alive, Maps);
        if (_isStart && _maps.Count == 0 && _streams.Count == 0 && _unloggable.NothingElse() is { } nothingElse)
            throw new InvalidDataException(nothingElse);
        // All that live are open now: what is lost of a map from here on is counted in a slot of its own.
        _isStart = false;
        _early = hook.ReadLosses(0);
        hook.Account(0, new Accounted(_early, 0));
        return gone.Count > 0;
    }

    private void NoteFrozen()
    {
        foreach (var map in _maps.Values)
        {
            if (map.IsFrozen || !map.Inspector.HasScannedFrozen)
                continue;
            map.IsFrozen = true;
            sink.Note(map.Stream, new MapMoved(sink.Epoch.Value, map.Id, Boot.Id, hook.Probe.Name(), hook.Unseen((MapType)map.Shape.Type), node, Frozen: true), KernelClock.Now);
        }
    }

    // The maps that are new, or to which a pin leads that was nobody's before.
    private List<MapInfo> Describe(Look look, PinView pins)
    {
        var found = new List<MapInfo>();
        foreach (var id in look.Alive)
        {
            if (_maps.ContainsKey(id) || _waiting.Contains(id) || _others.Contains(id) && !pins.LeadsTo(id))
                continue;
            if (BpfMap.Describe(id, out var errno) is { } info)
            {
                _refused.Remove(id);
                replicators.Meet(info);
                found.Add(info);
            }
            else if (errno != Errno.Enoent)
            {
                _refused.Add(id, errno);
            }
        }
        replicators.Forget(look.Alive);
        return found;
    }

    // A stream that is watched by its pin goes on with the map behind the pin, although the map before it lives: the program that
    // holds that one may be in use no more.
    private List<string> FollowPins(PinView pins, IReadOnlyDictionary<uint, ulong> replicas)
    {
        var notFollowed = new List<string>();
        var kept = new HashSet<uint>();
        foreach (var pin in pins.Pins)
        {
            if (_maps.TryGetValue(pin.MapId, out var logged))
            {
                if (pin.Target.StreamOf(logged.Id, logged.Name, pin.Path) is var wanted && wanted != logged.Stream.Name.Map)
                    notFollowed.Add(WatchTroubles.OtherStream(pin, wanted, logged.Stream.Name));
                continue;
            }
            if (BpfMap.Describe(pin.MapId, out _) is not { } info || pins.Find(info.Id, info.Name) is not var (target, name) || target != pin.Target
                || !_streams.TryGetValue(name, out var stream) || stream.Map is not { } older || pins.IsPinnedFor(older.Id, older.Name, name))
                continue;
            if (WhyNot.Of(info, target, name, replicas) is { } why)
            {
                kept.Add(older.Id);
                notFollowed.Add(WatchTroubles.NotFollowed(stream.Name, older.Id, pin, why));
                continue;
            }
            log.PinMoved(stream.Name.ToString(), pin.Path, info.Id, older.Id);
            hook.Ignore(older.Id);
            Close(older);
            if (_waiting.TryGet(info.Id, out var next))
                GoOn(next);
            else
                Consider(info, KernelClock.Now, pins, replicas);
        }
        // Its pin leads to a map of another name, which has a stream of its own.
        foreach (var map in _maps.Values.Where(m => !kept.Contains(m.Id) && !IsMeantStill(m, pins)).ToList())
        {
            hook.Ignore(map.Id);
            Close(map);
        }
        return notFollowed;
    }

    private static bool IsMeantStill(CapturedMap map, PinView pins) =>
        pins.Means(map.Id, map.Name, map.Stream.Name.Map) || pins.LostPinOf(map.Id, map.Name, map.Stream.Name.Map) is not null
        || !pins.CanHaveMeant(map.Name, map.Stream.Name.Map);

    private WatchTroubles FindTroubles(Look look, PinView pins, List<string> notFollowed)
    {
        var waiting = new List<string>();
        foreach (var name in _waiting.Streams)
        {
            uint[] ids = [.. _waiting.Of(name).Select(w => w.Info.Id).Where(look.Alive.Contains)];
            if (ids.Length > 0 && _streams[name].Map is { } older)
                waiting.Add(WatchTroubles.WaitingFor(older.Stream.Name, older.Id, ids));
        }
        return new WatchTroubles(waiting,
        [
            .. notFollowed,
            .. pins.Unreadable.Select(u => WatchTroubles.Unreadable(u.Path, u.Why)),
            .. from map in _maps.Values
               let lost = pins.LostPinOf(map.Id, map.Name, map.Stream.Name.Map)
               where lost is not null
               select WatchTroubles.LostPin(map.Stream.Name, map.Id, lost),
        ]);
    }

    /// <summary>Takes a prune record, from whatever thread, to be written with the next batch.</summary>
    public void Ask(StreamName stream, Pruned record) => _asked.Enqueue((stream, record));

    /// <summary>Writes the prune records that were asked for, each sealed at once.</summary>
    public void WriteAsked(long now)
    {
        while (_asked.TryDequeue(out var asked))
        {
            if (!_streams.TryGetValue(asked.Stream.Map, out var stream) || stream.Name != asked.Stream)
                continue;
            sink.Note(stream, asked.Record with { Epoch = sink.Epoch.Value }, now);
            sink.Seal(stream, now);
            log.PruneRecorded(stream.Name.ToString(), asked.Record.UpTo);
        }
    }

    /// <summary>What of the watch set means no map at this moment.</summary>
    public IReadOnlyList<string> Missing()
    {
        var pins = _watched.Look();
        var all = BpfMap.All().ToList();
        return [.. targets.Where(t => t.Pin is null ? !all.Any(m => t.Matches(m.Id, m.Name)) : pins.Pins.All(p => p.Target != t)).Select(t => t.Text)];
    }

    private CapturedMap? Meet(uint id, long kernelTime, MapSeen? seen)
    {
        // Records from before the hook ignored it; the next look tries to open it again.
        if (_refused.IsNamed(id))
            return null;
        if (BpfMap.Describe(id, out var errno) is { } open)
        {
            _refused.Remove(id);
            return Consider(open, kernelTime, _watched.Look(), replicas: null, isFromItsFirst: seen is not null);
        }
        if (errno != Errno.Enoent)
        {
            // Not among the others: each look tries to open it again.
            hook.Ignore(id);
            _refused.Add(id, seen?.Name, errno);
            return null;
        }
        // Gone already. The hook told what it was when it first saw it, and its records may still follow.
        if (seen is not { } met)
            return null;
        var info = new MapInfo(id, met.Name, (MapType)met.Type, (int)met.KeySize, (int)met.ValueSize, met.MaxEntries, met.MapFlags, 0, 0, 0);
        return Consider(info, kernelTime, _watched.Look(), new Dictionary<uint, ulong>(), isFromItsFirst: true);
    }

    private CapturedMap? Consider(MapInfo info, long kernelTime, PinView pins, IReadOnlyDictionary<uint, ulong>? replicas, bool isFromItsFirst = false)
    {
        if (pins.Find(info.Id, info.Name) is not var (target, name) || OwnMaps.Contains(info) || WhyNot.IsMadeFromALog(info.Id, target, replicas ?? ReplicasWhenMade()))
            return Ignore(info.Id);
        if (UnloggableMaps.WhyNot(info, target, name) is { } whyNot)
        {
            if (_unloggable.Add(info.Id, target, whyNot))
                log.CannotReplicate(whyNot);
            return Ignore(info.Id);
        }
        // An earlier daemon kept what was recorded of it, until its predecessor's end, and is gone with that; unless the ring has all of it.
        var hasWaited = hook.IsResumed && hook.SlotOf(info.Id) is > 0 && !isFromItsFirst && !_cut.Contains(name);
        var met = new MetMap(info, name, SlotOf(info), kernelTime, _btf.Read(info.BtfId));
        if (_maps.Values.FirstOrDefault(m => m.Stream.Name.Map == name) is not { } older)
        {
            var map = Open(met);
            if (hasWaited)
                sink.Note(map.Stream, new GapFound(sink.Epoch.Value, "waiting", -1, 0, kernelTime), kernelTime);
            return map;
        }
        _lives.Waits(info.Id, older.Stream.Name, older.Id);
        _waiting.Add(met, hasWaited);
        hook.Watch(info.Id, met.Slot);
        return null;
    }

    // One that hangs while it makes a map is not waited for.
    private bool IsMaking()
    {
        if (!replicators.IsMaking)
            _makingSince = null;
        else
            _makingSince ??= KernelClock.Now;
        return _makingSince is { } since && KernelClock.Now - since < MakeWithin;
    }

    // A map is made in milliseconds, and the ring holds what comes meanwhile.
    private IReadOnlyDictionary<uint, ulong> ReplicasWhenMade()
    {
        while (IsMaking())
            Thread.Sleep(1);
        return replicators.Replicas();
    }

    // The oldest map that waits for this stream goes on with it, and those that ended meanwhile before it, one after the other. A map
    // that was never changed and is gone leaves no trace, nor does one that a replicator has taken meanwhile.
    private void LetFollow(string name, Look look, IReadOnlyDictionary<uint, ulong> replicas)
    {
        foreach (var next in _waiting.Of(name))
        {
            _waiting.Remove(next);
            var hasEnded = look.HasEnded(next.Info.Id);
            if (replicas.ContainsKey(next.Info.Id))
                Ignore(next.Info.Id);
            if (replicas.ContainsKey(next.Info.Id) || next.Changes == 0 && hasEnded && _losses.LostOf(next.Met.Slot) == 0)
            {
                next.Leave();
                _losses.Leave(next.Met.Slot);
                continue;
            }
            var map = GoOn(next);
            if (!hasEnded)
                return;
            Close(map);
        }
    }

    private CapturedMap GoOn(WaitingMap next)
    {
        _waiting.Remove(next);
        var map = Open(next.Met);
        if (next.IsOverfull || next.HasWaited)
            sink.Note(map.Stream, new GapFound(sink.Epoch.Value, "waiting", next.HasWaited ? -1 : next.Changes, next.Met.Since, KernelClock.Now), KernelClock.Now);
        next.GiveTo(map);
        next.Leave();
        return map;
    }

    // What is not kept of maps that came and went while their predecessor lives is a gap of the stream, at once: that may live for ever.
    private void DropSuperfluous(Look look)
    {
        foreach (var stream in _waiting.TakeSuperfluous(look.HasEnded).GroupBy(w => w.Met.Name))
        {
            var left = stream.Select(w => (Map: w, Changes: w.Changes + _losses.Leave(w.Met.Slot))).ToList();
            var changed = left.Where(l => l.Changes > 0).ToList();
            if (changed.Count == 0 || _streams[stream.Key] is not { Map: { } older } into)
                continue;
            var since = changed.Min(l => l.Map.Met.Since);
            sink.Note(into, new GapFound(sink.Epoch.Value, "waiting", changed.Sum(l => l.Changes), since, KernelClock.Now), KernelClock.Now);
            if (_dropsToldOf.Add(older.Id))
                log.GenerationsDropped(into.Name.ToString(), changed.Count, older.Id, WaitingMaps.MaxEnded);
        }
        _dropsToldOf.IntersectWith(look.Alive);
    }

    // What was counted before in a slot that is given anew is none of its losses.
    private int SlotOf(MapInfo map) => _losses.Enter(map.Type, hook.IsResumed ? hook.SlotOf(map.Id) : null);

    private static void ReportLoss(CapturedMap map, string reason, ulong count, long from, long to, EventSink sink, ILogger log)
    {
        if (reason == "skipped")
            log.Skipped(map.Stream.Name.ToString(), count);
        else
            log.Lost(map.Stream.Name.ToString(), count, reason);
        sink.Note(map.Stream, new GapFound(sink.Epoch.Value, reason, (long)count, from, to), to);
        map.Inspector.Scan();
    }

    private CapturedMap? Ignore(uint id)
    {
        if (_others.Add(id))
            hook.Ignore(id);
        return null;
    }

    private CapturedMap Open(MetMap met)
    {
        var (info, name, slot, kernelTime, btf) = met;
        if (!_streams.TryGetValue(name, out var stream))
            _streams[name] = stream = NewStream(name, kernelTime);
        var shape = ReplicaShape.Of(info);
        var opened = new MapOpened(
            sink.Epoch.Value, info.Id, Boot.Id, info.Name, shape, btf, btf is null ? 0 : info.BtfKeyTypeId, btf is null ? 0 : info.BtfValueTypeId,
            hook.Probe.Name(), hook.Unseen(info.Type), node);
        sink.Note(stream, _btf.Describe(opened), kernelTime);
        // Nobody's until it was pinned where it is watched: a name the hook knows at the first operation, a pin it does not.
        if (_before.Contains(info.Id) || hook.IsIgnored(info.Id))
            sink.Note(stream, new GapFound(sink.Epoch.Value, "late-attach", -1, 0, kernelTime), kernelTime);
        var early = hook.ReadLosses(0);
        if (early != _early)
            sink.Note(stream, new GapFound(sink.Epoch.Value, "early", (long)(early.Total - _early.Total), 0, kernelTime), kernelTime);
        // Its losses count from when it was met, which may be long ago, if it waited.
        // Nothing of this life is logged; of the one before there may be later records, if this one waited for its end.
        stream.SkipUpTo(-1, 0, 0);
        var hidden = VolatileBytesOf(stream, opened);
        var map = Watch(new CapturedMap(stream, info.Id, info.Name, shape, new KnownContent(shape, hidden), slot, sink) { KernelBytes = _btf.KernelBytesOf(opened), VolatileBytes = hidden }, kernelTime);
        _lives.Opened(map, isSame: false);
        return map;
    }

    private void GoOn(CapturedStream stream, StreamFold fold, MapInfo info)
    {
        var slot = SlotOf(info);
        var shape = fold.Generation!.Shape;
        feed.Resume(stream.Handle, shape);
        var hidden = VolatileBytesOf(stream, fold.Generation);
        var map = new CapturedMap(stream, info.Id, info.Name, shape, KnownContent.Of(fold.Entries, shape, hidden), slot, sink) { KernelBytes = KernelBytesOf(info.Id, fold.Generation), VolatileBytes = hidden };
        if (!hook.IsResumed)
            NoteUnhooked(stream);
        map.IsFrozen = fold.Generation.Frozen;
        Watch(map, hook.IsResumed ? stream.LoggedUntil : KernelClock.Now);
        _lives.Opened(map, isSame: true);
    }

    private VolatileBytes? VolatileBytesOf(CapturedStream stream, MapOpened opened)
    {
        var bytes = Rules.Of(stream.Name.Map, opened, out var unknown);
        foreach (var rule in unknown)
            log.NoSuchField(stream.Name.ToString(), rule.ToString(), opened.Shape.ValueSize);
        return bytes;
    }

    // By the BTF of the map that is captured: the stream may have begun with another map, whose replica has no BTF, and then the
    // kernel owns none of its bytes. Of a map that is gone the log knows.
    private static KernelBytes? KernelBytesOf(uint id, MapOpened opened)
    {
        try
        {
            using var open = BpfMap.OpenById(id, MapAccess.Read);
            return KernelBytes.Of(MapBtf.Read(open.Info.BtfId), open.Info.BtfValueTypeId, opened.Shape);
        }
        catch (KernelException)
        {
            return KernelBytes.Of(opened.Btf, opened.BtfValueType, opened.Shape);
        }
    }

    private void NoteUnhooked(CapturedStream stream)
    {
        var (reason, since) = UnhookedSince is { } lost ? ("detached", lost) : ("down", stream.LoggedUntil);
        sink.Note(stream, new GapFound(sink.Epoch.Value, reason, -1, since, KernelClock.Now), KernelClock.Now);
    }

    // Its losses are counted from that kernel time on.
    private CapturedMap Watch(CapturedMap map, long since)
    {
        hook.Watch(map.Id, map.Slot);
        _losses.Open(map, since);
        _maps[map.Id] = map;
        map.Stream.Map = map;
        map.Inspector.Scan();
        return map;
    }

    private CapturedStream NewStream(string name, long kernelTime)
    {
        var stream = new CapturedStream(new StreamName(source, name));
        sink.Note(stream, new EpochStarted(sink.Epoch.Value, node, Boot.Id, hook.RingId, StartedAt: sink.Now), kernelTime);
        return stream;
    }

    private void Close(CapturedMap map)
    {
        _losses.Close(map, KernelClock.Now);
        _maps.Remove(map.Id);
        map.Stream.Map = null;
        _last = null;
        map.Stream.Counters.Entries = null;
        sink.Note(map.Stream, new MapClosed(sink.Epoch.Value, map.Id, Boot.Id), KernelClock.Now);
        _lives.Closed(map);
    }

    /// <summary>The kernel's maps at one moment.</summary>
    /// <param name="Alive">All of them.</param>
    /// <param name="Watched">The watched maps that were open.</param>
    /// <param name="Waiting">The maps that waited.</param>
    /// <param name="Judged">Maps, gone or not, that had a verdict in the hook's hash.</param>
    /// <param name="RingEnd">Up to here the ring must be read before the look counts.</param>
    private sealed record Look(HashSet<uint> Alive, IReadOnlyList<uint> Watched, HashSet<uint> Waiting, IReadOnlyList<uint> Judged, ulong RingEnd)
    {
        /// <summary>Whether a map that waited is gone. One that was met after the look is not.</summary>
        public bool HasEnded(uint waiting) => Waiting.Contains(waiting) && !Alive.Contains(waiting);
    }
}
