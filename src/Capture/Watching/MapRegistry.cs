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
    string source, string node, IReadOnlyList<WatchedTarget> targets, WriterRegistry replicators, CaptureHook hook, EventSink sink, BatchFeed feed, ILogger log)
{
    private const long MakeWithin = 10_000_000_000;

    private readonly Dictionary<uint, CapturedMap> _maps = [];
    private readonly Dictionary<string, CapturedStream> _streams = [];
    private readonly HashSet<uint> _others = [];
    private readonly Dictionary<uint, WaitingMap> _waiting = [];
    private readonly SortedSet<int> _freeSlots = [.. Enumerable.Range(1, CaptureHook.Slots - 1)];
    // What was there before the hook was: its changes until then went unseen.
    private readonly HashSet<uint> _before = hook.IsResumed ? [] : [.. BpfMap.Ids()];
    // Losses of maps that no daemon had opened yet, as far as the log tells of them.
    private Losses _early = hook.ReadAccount(0).Losses;
    private readonly ConcurrentQueue<(StreamName Stream, Pruned Record)> _asked = new();
    // Written before the first commit begins, read after it.
    private readonly List<uint> _adopted = [];
    private bool _isStart = true;
    private long? _makingSince;
    private CapturedMap? _last;
    private Look? _look;

    public IReadOnlyCollection<CapturedMap> Maps => _maps.Values;

    /// <summary>Whether a map's successor waits for its end.</summary>
    public bool IsAnyWaiting => _waiting.Count > 0;

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
        var info = new MapInfo(opened.MapId, opened.Name, (MapType)opened.Shape.Type, opened.Shape.KeySize, opened.Shape.ValueSize, (uint)opened.Shape.MaxEntries, (uint)opened.Shape.Flags, 0, 0, 0, false);
        var pins = WatchedTarget.PinnedIds(targets);
        if ((hook.IsResumed || IsAlive(info.Id)) && targets.Any(t => t.Matches(info, pins.GetValueOrDefault(t.Text)) && t.StreamOf(info) == stream.Name.Map))
        {
            GoOn(stream, fold, info);
            return;
        }
        // What was done to it before its end nobody has recorded.
        if (!hook.IsResumed)
            sink.Note(stream, new GapFound(sink.Epoch.Value, "down", -1, stream.LoggedUntil, KernelClock.Now), KernelClock.Now);
        sink.Note(stream, new MapClosed(sink.Epoch.Value, info.Id, Boot.Id), KernelClock.Now);
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
        var map = Watch(new CapturedMap(stream, info.Id, info.Name, shape, KnownContent.Of(fold.Entries, shape), SlotOf(info), sink));
        TakeAccount(map);
        log.MapAdopted(stream.Name.ToString(), info.Id);
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
        if (_last?.Id != header.MapId && !_maps.TryGetValue(header.MapId, out _last) && !_waiting.ContainsKey(header.MapId) && !_others.Contains(header.MapId))
            _last = Meet(header.MapId, (long)header.Time, isSeen ? MapSeen.Of(record.Data) : null);
        if (_last is not null && !isSeen)
            _last.Take(record);
        else if (_last is null && _waiting.TryGetValue(header.MapId, out var waiting))
            waiting.Take(record, isSeen);
    }

    /// <summary>Up to where the ring can be released: what was recorded of maps that wait stays in it, as far as there is room.</summary>
    /// <param name="upTo">Up to here all else is committed.</param>
    /// <param name="most">Bytes that may stay.</param>
    public ulong ReleasableUpTo(ulong upTo, ulong most) => _waiting.Values.Select(w => w.HoldBack(upTo, most)).Append(upTo).Min();

    /// <summary>Looks at all maps of the kernel. What it saw counts when the ring is read that far: <see cref="TakeLook"/>.</summary>
    public void LookAround()
    {
        if (_look is null)
            _look = new Look([.. BpfMap.All()], [.. _maps.Keys], hook.Ring.ProducerPosition);
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
        var pins = WatchedTarget.PinnedIds(targets);
        // In this order: a map that was seen by the look is in the second, or in the making.
        var isMaking = IsMaking();
        var replicas = replicators.Replicas();
        var alive = look.Alive.Select(m => m.Id).ToHashSet();
        var gone = look.Known.Where(id => !alive.Contains(id)).Select(_maps.GetValueOrDefault).OfType<CapturedMap>().ToList();
        foreach (var map in gone)
        {
            Close(map);
            LetFollow(map.Stream.Name.Map, alive, replicas);
        }
        _others.IntersectWith(alive);
        if (isMaking)
            return gone.Count > 0;
        foreach (var info in look.Alive)
        {
            // A pin may be moved to a map that was nobody's before.
            if (!_maps.ContainsKey(info.Id) && !_waiting.ContainsKey(info.Id) && (!_others.Contains(info.Id) || pins.ContainsValue(info.Id)) && IsAlive(info.Id))
                Consider(info, KernelClock.Now, pins, replicas);
        }
        // All that live are open now: what is lost of a map from here on is counted in a slot of its own.
        _isStart = false;
        _early = hook.ReadLosses(0);
        hook.Account(0, new Accounted(_early, 0));
        return gone.Count > 0;
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
        var pins = WatchedTarget.PinnedIds(targets);
        var all = BpfMap.All().ToList();
        return [.. targets.Where(t => !all.Any(m => t.Matches(m, pins.GetValueOrDefault(t.Text)))).Select(t => t.Text)];
    }

    private CapturedMap? Meet(uint id, long kernelTime, MapSeen? seen)
    {
        try
        {
            using var open = BpfMap.OpenById(id, MapAccess.Read);
            return Consider(open.Info, kernelTime, WatchedTarget.PinnedIds(targets), replicas: null, isFromItsFirst: seen is not null);
        }
        catch (KernelException e) when (e.Errno == Errno.Enoent)
        {
            // Gone already. The hook told what it was when it first saw it, and its records may still follow.
            if (seen is not { } met)
                return null;
            var info = new MapInfo(id, met.Name, (MapType)met.Type, (int)met.KeySize, (int)met.ValueSize, met.MaxEntries, met.MapFlags, 0, 0, 0, false);
            return Consider(info, kernelTime, [], new Dictionary<uint, ulong>(), isFromItsFirst: true);
        }
    }

    private CapturedMap? Consider(MapInfo info, long kernelTime, Dictionary<string, uint> pins, IReadOnlyDictionary<uint, ulong>? replicas, bool isFromItsFirst = false)
    {
        var target = targets.FirstOrDefault(t => t.Matches(info, pins.GetValueOrDefault(t.Text)));
        // A replica of a watched name on this very node is what replicators write, not what is captured.
        if (target is null || (replicas ?? ReplicasWhenMade()).ContainsKey(info.Id))
            return Ignore(info.Id);
        if (!HookedFunction.Supports(info.Type))
        {
            var sentence = $"Map {info.Name} (id {info.Id}) is meant by '{target.Text}' but cannot be replicated: a map of type {info.Type} holds kernel objects, or is of a kind that maplog does not know. Hash, LRU hash, array, LPM trie and the per-CPU kinds of them can be.";
            // A prefix may well mean others, and later anybody may make a map of that name; who names one that is there is told to its face.
            if (!target.IsPrefix && _isStart)
                throw new InvalidDataException(sentence);
            log.CannotReplicate(sentence);
            return Ignore(info.Id);
        }
        if (info.ValueBytes == 0 || !StreamName.IsMap(target.StreamOf(info)))
            return Ignore(info.Id);
        var name = target.StreamOf(info);
        // An earlier daemon kept what was recorded of it, until its predecessor's end, and is gone with that; unless the ring has all of it.
        var hasWaited = hook.IsResumed && hook.SlotOf(info.Id) is > 0 && !isFromItsFirst;
        if (_maps.Values.FirstOrDefault(m => m.Stream.Name.Map == name) is not { } older)
        {
            var map = Open(info, name, kernelTime, SlotOf(info));
            if (hasWaited)
                sink.Note(map.Stream, new GapFound(sink.Epoch.Value, "waiting", -1, 0, kernelTime), kernelTime);
            return map;
        }
        var slot = SlotOf(info);
        _waiting[info.Id] = new WaitingMap(info, name, slot, kernelTime, hasWaited);
        hook.Watch(info.Id, slot);
        log.SecondMap(info.Id, name, older.Id);
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

    // The oldest map that waits for this stream goes on with it. One that was never changed and is gone leaves no trace, nor does
    // one that a replicator has taken meanwhile.
    private void LetFollow(string name, HashSet<uint> alive, IReadOnlyDictionary<uint, ulong> replicas)
    {
        foreach (var next in _waiting.Values.Where(w => w.Name == name).OrderBy(w => w.Since).ToList())
        {
            _waiting.Remove(next.Info.Id);
            if (replicas.ContainsKey(next.Info.Id))
                Ignore(next.Info.Id);
            if (replicas.ContainsKey(next.Info.Id) || next.Changes == 0 && !alive.Contains(next.Info.Id))
            {
                FreeSlot(next.Slot);
                continue;
            }
            var map = Open(next.Info, name, next.Since, next.Slot);
            if (next.IsOverfull || next.HasWaited)
                sink.Note(map.Stream, new GapFound(sink.Epoch.Value, "waiting", next.HasWaited ? -1 : next.Changes, next.Since, KernelClock.Now), KernelClock.Now);
            next.GiveTo(map);
            return;
        }
    }

    // The one that an earlier daemon gave it, while the hook stayed, or another: then what was counted in it before is none of its losses.
    private int SlotOf(MapInfo map)
    {
        if (hook.IsResumed && hook.SlotOf(map.Id) is { } given && _freeSlots.Remove(given))
            return given;
        var slot = _freeSlots.Min;
        _freeSlots.Remove(slot);
        if (slot != 0)
            hook.Account(slot, new Accounted(hook.ReadLosses(slot), hook.ReadSkips().GetValueOrDefault(map.Type)));
        return slot;
    }

    private void FreeSlot(int slot)
    {
        if (slot != 0)
            _freeSlots.Add(slot);
    }

    private CapturedMap? Ignore(uint id)
    {
        if (_others.Add(id))
            hook.Ignore(id);
        return null;
    }

    private CapturedMap Open(MapInfo info, string name, long kernelTime, int slot)
    {
        if (!_streams.TryGetValue(name, out var stream))
            _streams[name] = stream = NewStream(name, kernelTime);
        var shape = new MapShape((int)info.Type, info.KeySize, info.ValueSize, checked((int)info.MaxEntries), (int)info.Flags, info.Type.IsPerCpu() ? PossibleCpus.Count : 0);

        var opened = new MapOpened(
            sink.Epoch.Value, info.Id, Boot.Id, info.Name, shape, info.BtfId == 0 ? null : MapBtf.Read(info.BtfId),
            info.BtfKeyTypeId, info.BtfValueTypeId, hook.Probe.Name(), hook.Unseen(info.Type), node);
        sink.Note(stream, opened with { Fields = FieldTypes.Of(opened) }, kernelTime);
        // Nobody's until it was pinned where it is watched: a name the hook knows at the first operation, a pin it does not.
        if (_before.Contains(info.Id) || hook.IsIgnored(info.Id))
            sink.Note(stream, new GapFound(sink.Epoch.Value, "late-attach", -1, 0, kernelTime), kernelTime);
        var early = hook.ReadLosses(0);
        if (early != _early)
            sink.Note(stream, new GapFound(sink.Epoch.Value, "early", (long)(early.Total - _early.Total), 0, kernelTime), kernelTime);
        // Nothing of this life is logged; of the one before there may be later records, if this one waited for its end.
        stream.SkipUpTo(-1, 0, 0);
        var map = Watch(new CapturedMap(stream, info.Id, info.Name, shape, new KnownContent(shape), slot, sink));
        TakeAccount(map);
        // What is lost of it counts from when it was met, which may be long ago, if it waited.
        map.LossesCountedAt = map.SkipsCountedAt = kernelTime;
        log.MapOpened(stream.Name.ToString(), info.Id, info.Type.ToString(), info.KeySize, info.ValueSize, false);
        return map;
    }

    private void GoOn(CapturedStream stream, StreamFold fold, MapInfo info)
    {
        var slot = SlotOf(info);
        var shape = fold.Generation!.Shape;
        feed.Resume(stream.Handle, shape);
        var map = new CapturedMap(stream, info.Id, info.Name, shape, KnownContent.Of(fold.Entries, shape), slot, sink);
        if (hook.IsResumed)
        {
            map.LossesCountedAt = map.SkipsCountedAt = stream.LoggedUntil;
        }
        else
        {
            sink.Note(stream, new GapFound(sink.Epoch.Value, "down", -1, stream.LoggedUntil, KernelClock.Now), KernelClock.Now);
        }
        TakeAccount(map);
        Watch(map);
        log.MapOpened(stream.Name.ToString(), info.Id, info.Type.ToString(), info.KeySize, info.ValueSize, true);
    }

    private void TakeAccount(CapturedMap map)
    {
        var account = hook.ReadAccount(map.Slot);
        (map.KnownLosses, map.KnownSkips) = (account.Losses, account.Skips);
    }

    private CapturedMap Watch(CapturedMap map)
    {
        hook.Watch(map.Id, map.Slot);
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
        _maps.Remove(map.Id);
        map.Stream.Map = null;
        _last = null;
        FreeSlot(map.Slot);
        map.Stream.Counters.Entries = null;
        sink.Note(map.Stream, new MapClosed(sink.Epoch.Value, map.Id, Boot.Id), KernelClock.Now);
        log.MapClosed(map.Stream.Name.ToString(), map.Id);
    }

    private static bool IsAlive(uint id)
    {
        try
        {
            BpfMap.OpenById(id, MapAccess.Read).Dispose();
            return true;
        }
        catch (KernelException e) when (e.Errno == Errno.Enoent)
        {
            return false;
        }
    }

    private sealed record Look(IReadOnlyList<MapInfo> Alive, IReadOnlyList<uint> Known, ulong RingEnd);
}
