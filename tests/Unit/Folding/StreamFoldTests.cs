using Maplog.Events;
using Maplog.Folding;
using Xunit;

namespace Maplog.Tests.Unit.Folding;

public class StreamFoldTests
{
    private static readonly MapShape Hash = new(1, 4, 8, 100, 0, 0);

    [Fact]
    public void Changes_put_and_remove_and_notes_leave_the_entries_alone()
    {
        var fold = Opened(Hash);
        fold.Apply(Event.Change(3, EventKind.EntryAdded, 1, 10, epoch: 1, kernelTime: 5, cpu: 2));
        fold.Apply(Event.Change(4, EventKind.EntryAdded, 2, 20));
        fold.Apply(Event.Change(5, EventKind.EntryUpdated, 2, 21));
        fold.Apply(Event.Change(6, EventKind.EntryDeleted, 3));
        fold.Apply(Event.Note(7, new GapFound(1, "ring-full", 4, 0, 9)));
        fold.Apply(Event.Change(8, EventKind.EntryAdded, 4, 40));
        fold.Apply(Event.Change(9, EventKind.EntryEvicted, 4));
        Assert.Equal(2, fold.Entries.Count);
        Assert.True(fold.Entries.TryGet(Event.Key(2), out var value));
        Assert.Equal(Event.Value(21), value.ToArray());
        Assert.True(fold.Entries.TryFind(Event.Key(1), out var first));
        Assert.Equal((5L, (ushort)2), (first.Stamp, first.Tag));
        Assert.Equal((new StreamVersion(9), new Epoch(1)), (fold.Version, fold.Epoch));
    }

    [Fact]
    public void A_new_life_of_the_map_begins_empty()
    {
        var fold = Opened(Hash);
        fold.Apply(Event.Change(3, EventKind.EntryAdded, 1, 10));
        fold.Apply(Event.Note(4, new MapClosed(1, 7, "boot")));
        Assert.False(fold.IsOpen);
        Assert.Equal(1, fold.Entries.Count);
        fold.Apply(Event.Note(5, new EpochStarted(2, "node", "boot", 3)));
        fold.Apply(Event.Opened(6, Hash with { ValueSize = 16 }, epoch: 2, mapId: 8));
        Assert.Equal((0, 16, true), (fold.Entries.Count, fold.Entries.ValueSize, fold.IsOpen));
        Assert.Equal((8u, new Epoch(2)), (fold.Generation!.MapId, fold.Epoch));
    }

    [Fact]
    public void A_map_that_is_frozen_stays_as_it_is_and_one_that_goes_on_elsewhere_has_another_clock()
    {
        var fold = Opened(Hash);
        fold.Apply(Event.Change(3, EventKind.EntryAdded, 1, 10, epoch: 1, kernelTime: 5, cpu: 2));
        fold.Apply(Event.Note(4, new MapMoved(1, fold.Generation!.MapId, "boot", "fentry", [], "node", Frozen: true)));
        Assert.True(fold.Generation.Frozen);
        Assert.True(fold.Entries.TryFind(Event.Key(1), out var same));
        Assert.Equal((5L, (ushort)2), (same.Stamp, same.Tag));
        fold.Apply(Event.Note(5, new MapMoved(2, 99, "other", "fentry", [], "node")));
        Assert.False(fold.Generation.Frozen);
        Assert.True(fold.Entries.TryFind(Event.Key(1), out var moved));
        Assert.Equal((0L, (ushort)0), (moved.Stamp, moved.Tag));
    }

    [Fact]
    public void An_event_that_comes_again_changes_nothing_and_a_missing_one_is_named()
    {
        var fold = Opened(Hash);
        Assert.True(fold.Apply(Event.Change(3, EventKind.EntryAdded, 1, 10)));
        Assert.False(fold.Apply(Event.Change(3, EventKind.EntryAdded, 1, 11)));
        Assert.Contains("version 3 to 5", Assert.Throws<FormatException>(() => fold.Apply(Event.Change(5, EventKind.EntryDeleted, 1))).Message);
        Assert.Equal(1, fold.Entries.Count);
    }

    [Fact]
    public void A_change_that_does_not_fit_the_map_is_refused_with_its_place()
    {
        var fold = Opened(Hash with { KeySize = 5 });
        var message = Assert.Throws<FormatException>(() => fold.Apply(Event.Change(3, EventKind.EntryAdded, 1, 10))).Message;
        Assert.Contains("Version 3 of stream lb-1/ct_map", message);
        var early = new StreamFold(Event.Stream);
        Assert.Contains("no map was opened", Assert.Throws<FormatException>(() => early.Apply(Event.Change(1, EventKind.EntryAdded, 1, 10))).Message);
    }

    [Fact]
    public void Two_keys_of_a_trie_that_differ_beyond_the_prefix_are_one()
    {
        var shape = new MapShape(LpmKey.MapType, 8, 8, 100, 1, 0);
        var fold = Opened(shape);
        fold.Apply(Event.Change(3, EventKind.EntryAdded, [12, 0, 0, 0, 10, 0x1f, 3, 4], Event.Value(1)));
        fold.Apply(Event.Change(4, EventKind.EntryUpdated, [12, 0, 0, 0, 10, 0x10, 0, 9], Event.Value(2)));
        fold.Apply(Event.Change(5, EventKind.EntryAdded, [32, 0, 0, 0, 10, 0x10, 0, 9], Event.Value(3)));
        Assert.Equal(2, fold.Entries.Count);
        Assert.True(fold.Entries.TryGet([12, 0, 0, 0, 10, 0x10, 0, 0], out var value));
        Assert.Equal(Event.Value(2), value.ToArray());
    }

    [Fact]
    public void Parts_of_a_per_CPU_value_go_into_the_value_that_is_there_and_into_no_other()
    {
        var fold = Opened(new MapShape(5, 4, 6, 100, 0, 4));
        byte[] before = [.. Enumerable.Range(0, 32).Select(i => (byte)i)], after = [.. before];
        after[17] = 99;
        fold.Apply(Event.Change(3, EventKind.EntryAdded, Event.Key(1), before));
        fold.Apply(Event.Parts(4, Event.Key(1), before, after));
        Assert.True(fold.Entries.TryGet(Event.Key(1), out var value));
        Assert.Equal(after, value.ToArray());
        Assert.Contains("Version 5 of stream lb-1/ct_map", Assert.Throws<FormatException>(() => fold.Apply(Event.Parts(5, Event.Key(2), before, after))).Message);
        var narrow = Opened(new MapShape(5, 4, 6, 100, 0, 2));
        Assert.Throws<FormatException>(() => narrow.Apply(Event.Parts(3, Event.Key(1), before, after)));
        var other = Opened(new MapShape(1, 4, 32, 100, 0, 0));
        Assert.Throws<FormatException>(() => other.Apply(Event.Parts(3, Event.Key(1), before, after)));
    }

    private static StreamFold Opened(MapShape shape)
    {
        var fold = new StreamFold(Event.Stream);
        fold.Apply(Event.Note(1, new EpochStarted(1, "node", "boot", 3)));
        fold.Apply(Event.Opened(2, shape));
        return fold;
    }
}
