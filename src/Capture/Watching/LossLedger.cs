using Maplog.Capture.Pipeline;
using Maplog.Hooking;
using Maplog.Kernel;

namespace Maplog.Capture.Watching;

/// <summary>
/// The losses of each captured map: the hook counts in slots, and the ledger knows which map has which slot, and how much of its
/// count the log has. A map is counted a last time when it is closed. Its slot is free for another map only when the batch of that
/// count is committed: otherwise the account of the older map would be written over the one of the newer.
/// </summary>
/// <param name="counts">The hook's counts.</param>
/// <param name="report">Takes each loss that is found.</param>
internal sealed class LossLedger(ILossCounts counts, LossReport report)
{
    /// <summary>Skips come one by one, where a host is crowded: no gap, and no scan, for each of them.</summary>
    private const long SkipsEvery = 1_000_000_000;

    private readonly SortedSet<int> _free = [.. Enumerable.Range(1, CaptureHook.Slots - 1)];
    private readonly Dictionary<uint, Line> _lines = [];
    private Dictionary<int, Accounted> _accounts = [];
    private List<int> _freed = [];

    /// <summary>Gives a map a slot.</summary>
    /// <param name="type">The map's type.</param>
    /// <param name="given">The slot that an earlier daemon gave it while the hook stayed; null: none did.</param>
    /// <returns>0: all slots are taken, and the map shares the slot of maps that have none.</returns>
    public int Enter(MapType type, int? given)
    {
        if (given is { } earlier && _free.Remove(earlier))
            return earlier;
        var slot = _free.Min;
        _free.Remove(slot);
        // The count of another map, before this one.
        if (slot != 0)
            counts.Account(slot, new Accounted(counts.ReadLosses(slot), counts.ReadSkips().GetValueOrDefault(type)));
        return slot;
    }

    /// <summary>Takes back the slot of a map that was never opened.</summary>
    /// <returns>Changes of it that were lost, which no stream has.</returns>
    public long Leave(int slot)
    {
        var lost = LostOf(slot);
        if (slot != 0)
            _free.Add(slot);
        return lost;
    }

    /// <summary>Changes lost in a slot of its own of a map that is not opened yet.</summary>
    public long LostOf(int slot) => slot == 0 ? 0 : (long)(counts.ReadLosses(slot).Total - counts.ReadAccount(slot).Losses.Total);

    /// <summary>Begins to count a map.</summary>
    /// <param name="map">The map, with its slot.</param>
    /// <param name="since">Kernel time from which on the log has no losses of it.</param>
    public void Open(CapturedMap map, long since)
    {
        var account = counts.ReadAccount(map.Slot);
        _lines[map.Id] = new Line(map) { Losses = account.Losses, Skips = account.Skips, LossesAt = since, SkipsAt = since };
    }

    /// <summary>Reports what was lost since the last count.</summary>
    /// <param name="now">Kernel time.</param>
    /// <param name="isLast">Whether no count of this daemon follows.</param>
    public void Count(long now, bool isLast)
    {
        var skips = counts.ReadSkips();
        foreach (var line in _lines.Values)
            Count(line, skips, now, isLast);
    }

    /// <summary>Counts a map that is about to be closed a last time.</summary>
    public void Close(CapturedMap map, long now)
    {
        if (!_lines.Remove(map.Id, out var line))
            return;
        Count(line, counts.ReadSkips(), now, isLast: true);
        if (map.Slot != 0)
            _freed.Add(map.Slot);
    }

    /// <summary>What the batch has that is committed next.</summary>
    public LossStatement TakeStatement()
    {
        var statement = new LossStatement(_accounts, _freed);
        (_accounts, _freed) = ([], []);
        return statement;
    }

    /// <summary>The batch is committed: the next daemon knows it, and the slots of closed maps are free.</summary>
    public void Committed(LossStatement statement)
    {
        foreach (var (slot, account) in statement.Accounts)
            counts.Account(slot, account);
        foreach (var slot in statement.Freed)
            _free.Add(slot);
    }

    private void Count(Line line, IReadOnlyDictionary<MapType, ulong> skips, long now, bool isLast)
    {
        var isChanged = CountLosses(line, now);
        var skipped = skips.GetValueOrDefault((MapType)line.Map.Shape.Type);
        if (skipped != line.Skips && (isLast || now - line.SkipsAt >= SkipsEvery && !line.Map.Inspector.IsScanning))
        {
            report(line.Map, "skipped", skipped - line.Skips, line.SkipsAt, now);
            (line.Skips, line.SkipsAt, isChanged) = (skipped, now, true);
        }
        if (isChanged)
            _accounts[line.Map.Slot] = new Accounted(line.Losses, line.Skips);
    }

    private bool CountLosses(Line line, long now)
    {
        var losses = counts.ReadLosses(line.Map.Slot);
        if (losses == line.Losses)
            return false;
        Report(line, "ring-full", losses.RingFull - line.Losses.RingFull, now);
        Report(line, "unreadable", losses.Unreadable - line.Losses.Unreadable, now);
        Report(line, "too-long", losses.TooLong - line.Losses.TooLong, now);
        (line.Losses, line.LossesAt) = (losses, now);
        return true;
    }

    private void Report(Line line, string reason, ulong count, long now)
    {
        if (count > 0)
            report(line.Map, reason, count, line.LossesAt, now);
    }

    /// <summary>What the log, or the batch being filled, has of a map's losses.</summary>
    private sealed class Line(CapturedMap map)
    {
        public CapturedMap Map => map;

        public Losses Losses { get; set; }

        public ulong Skips { get; set; }

        public long LossesAt { get; set; }

        public long SkipsAt { get; set; }
    }
}
