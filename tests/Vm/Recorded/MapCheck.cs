using Maplog.Events;
using Maplog.Folding;

namespace Maplog.Tests.Recorded;

/// <summary>One map: what was done to it, against what was logged of it.</summary>
internal sealed class MapCheck(Sight sight, IReadOnlyList<DriverRow> rows, IReadOnlyList<DriverChange> changes, IReadOnlyDictionary<string, string> dump, LoggedMap logged)
{
    /// <summary>As many changes may one call of mapdriver's be.</summary>
    public const int DriverBatch = 32;

    private readonly List<DriverChange> _seen = [.. changes.Where(c => sight.Blind(c, rows[0].Type) is null)];

    private bool IsAllSeen => _seen.Count == changes.Count;

    private bool IsInOrder => rows.All(r => r.Certainty is "exact" or "unknown" or "unsupported") || rows.Count == 1;

    /// <summary>Calls that the log itself says are missing, because the kernel skipped the hook.</summary>
    public long Skips => logged.Gaps.Where(g => g.Reason == "skipped").Sum(g => g.Count);

    private IEnumerable<string> BlindEvictions => rows.Where(r => r.Certainty == "evicting").Select(r => sight.BlindToEvictions(r.Writer)).OfType<string>();

    /// <summary>Whether nothing more is to come.</summary>
    public bool IsAllLogged => Seen().Count + Skips * DriverBatch >= _seen.Count && DifferenceOfTheLog() is null;

    /// <summary>Changes that the probe covers, and how many of them were recorded.</summary>
    public (int Covered, int Recorded) Counts => (_seen.Count, Math.Min(_seen.Count, Seen().Count));

    public void NoChangeIsLost()
    {
        Assert.All(logged.Gaps, gap => Assert.Equal("skipped", gap.Reason));
        if (!sight.MayBeSkipped)
            Assert.Empty(logged.Gaps);
    }

    public void EveryChangeIsOneEvent()
    {
        var events = Seen();
        if (Skips > 0 || sight.MayMissUncounted && events.Count < _seen.Count)
        {
            var missing = MissingByKey(events, mayDifferInKind: true);
            var account = $"{_seen.Count} changes were made and {events.Count} were logged. Missing: {ByWay(missing)}. The kernel counted {Skips} skipped calls.";
            // A skipped call may have been a batch. What programs changed unseen by kprobes is in the coverage, and in no count.
            if (missing.Count(c => c.Writer == "syscall" || !sight.MayMissUncounted) > Skips * DriverBatch || rows.Count > 1 && missing.Count > 0.1 * _seen.Count)
                Assert.Fail(account);
            if (missing.Any(c => c.Writer != "syscall"))
                Assert.Contains(logged.Opened!.Unseen, sentence => sentence.Contains("preempted inside bpf(2)", StringComparison.Ordinal));
            if (missing.Count > 0)
                TestContext.Current.TestOutputHelper?.WriteLine(account);
            return;
        }
        if (IsInOrder)
            AreSame("", _seen, events);
        else
            AreSameByKey(events);
        Assert.Equal(_seen.Count, events.Count);
        // Nothing had to be found by reading the map, unless several CPUs fought over an entry or changes went unseen.
        if (IsAllSeen && rows.Count == 1 && !BlindEvictions.Any())
            Assert.DoesNotContain(logged.Changes, c => !c.IsSeen);
    }

    /// <summary>Where the log's content of the map is not the map's, or null: what no hook saw, the background scan has found.</summary>
    public string? DifferenceOfTheLog() => Difference("log", logged.Fold(), mayLack: false);

    /// <summary>The same of a replica; of an LRU map, which evicts as it likes, it may have less.</summary>
    public string? DifferenceOfTheReplica(IReadOnlyDictionary<string, string> replica) =>
        Difference("replica", replica, mayLack: rows[0].Type.StartsWith("lru", StringComparison.Ordinal)) ?? (replica.Count == 0 && dump.Count > 0 ? "The replica is empty." : null);

    private string? Difference(string whose, IReadOnlyDictionary<string, string> copy, bool mayLack)
    {
        var map = dump;
        if (rows[0].Type == "lpm_trie")
            (map, copy) = (map.ToDictionary(e => Normal(e.Key), e => e.Value), copy.ToDictionary(e => Normal(e.Key), e => e.Value));
        foreach (var (key, value) in map)
        {
            if (!copy.TryGetValue(key, out var copied) ? !mayLack && !IsUnwritten(value) : copied != value)
                return $"The map holds {Short(value)} for key {key}, the {whose} {Short(copied ?? "nothing")}.";
        }
        return copy.FirstOrDefault(e => !map.TryGetValue(e.Key, out _) && !IsUnwritten(e.Value)) is { Key: { } more } ? $"The {whose} holds key {more}, the map does not." : null;
    }

    public void WhatIsNotSeenIsNamed()
    {
        var blind = changes.Select(c => sight.Blind(c, rows[0].Type)).OfType<string>().Concat(BlindEvictions).Distinct();
        foreach (var words in blind)
            Assert.Contains(logged.Opened!.Unseen, sentence => sentence.Contains(words, StringComparison.Ordinal));
    }

    private void AreSameByKey(List<LoggedChange> events)
    {
        var expected = _seen.ToLookup(c => c.Key);
        var got = events.ToLookup(e => e.Key);
        var missing = MissingByKey(events, mayDifferInKind: false);
        if (missing.Count > 0 && events.Count < _seen.Count)
            Assert.Fail($"{_seen.Count} changes were made and {events.Count} were logged. Missing: {ByWay(missing)}.");
        Assert.Empty(got.Select(g => g.Key).Except(expected.Select(g => g.Key)));
        foreach (var key in expected)
            AreSame($" of key {key.Key}", [.. key], [.. got[key.Key]]);
    }

    // What the map itself did, and what was read from it, is no change of a writer's.
    private List<LoggedChange> Seen() => [.. logged.Changes.Where(c => c.Kind != EventKind.EntryEvicted && c.IsSeen)];

    // The changes without an event; the events of a key must be changes of it, in their order.
    private List<DriverChange> MissingByKey(List<LoggedChange> events, bool mayDifferInKind)
    {
        var got = events.ToLookup(e => e.Key);
        var missing = new List<DriverChange>();
        var known = 0;
        foreach (var made in _seen.ToLookup(c => c.Key))
        {
            var left = new Queue<LoggedChange>(got[made.Key]);
            var before = "";
            foreach (var change in made)
            {
                if (left.TryPeek(out var next) && (mayDifferInKind ? Tells(next, change, before) : next.Is(change)))
                    left.Dequeue();
                else
                    missing.Add(change);
                before = change.Value;
            }
            known += got[made.Key].Count() - left.Count;
            if (left.TryPeek(out var stranger) && mayDifferInKind)
                Assert.Fail($"No change of key {made.Key} at that place is the event '{Short(stranger)}'.");
        }
        Assert.True(known == events.Count || !mayDifferInKind, "There are events of keys that nobody changed.");
        return missing;
    }

    // Where changes before it may be missing: added or updated, and in other CPUs' slots what was there earlier.
    private bool Tells(LoggedChange told, DriverChange change, string before)
    {
        if (told.Kind == EventKind.EntryDeleted || change.Op == "delete")
            return told.Kind == EventKind.EntryDeleted && change.Op == "delete";
        if (!rows[0].Type.Contains("percpu", StringComparison.Ordinal) || told.Value.Length != change.Value.Length)
            return told.Value == change.Value;
        var slot = (rows[0].ValueSize + 7) / 8 * 16;
        var earlier = before.PadRight(change.Value.Length, '0');
        return Enumerable.Range(0, change.Value.Length / slot).Select(i => (i * slot)..((i + 1) * slot)).All(s => told.Value[s] == change.Value[s] || change.Value[s] == earlier[s]);
    }

    private static string ByWay(IEnumerable<DriverChange> changes) => string.Join(", ", changes.GroupBy(c => c.Way).Select(way => $"{way.Key} {way.Count()}"));

    private static void AreSame(string whose, List<DriverChange> expected, List<LoggedChange> events)
    {
        for (var i = 0; i < Math.Min(expected.Count, events.Count); i++)
        {
            if (!events[i].Is(expected[i]))
                Assert.Fail($"Change {i} of {expected.Count}{whose} was '{Short(expected[i])}', event {i} of {events.Count} says '{Short(events[i])}'.");
        }
        if (expected.Count > events.Count)
            Assert.Fail($"{expected.Count} changes{whose} were made and {events.Count} were logged; the first that is missing: {Short(expected[events.Count])}");
        if (events.Count > expected.Count)
            Assert.Fail($"{expected.Count} changes{whose} were made and {events.Count} were logged; the first that is too many: {Short(events[expected.Count])}");
    }

    // An array's entries are there, as zeros, before anybody writes them.
    private bool IsUnwritten(string value) => rows[0].Type.EndsWith("array", StringComparison.Ordinal) && value.All(c => c == '0');

    private static string Short(object change) => change.ToString() is { Length: > 400 } text ? $"{text[..400]}…" : $"{change}";

    private static string Normal(string key)
    {
        var bytes = Convert.FromHexString(key);
        LpmKey.Normalise(bytes);
        return Convert.ToHexStringLower(bytes);
    }
}
