using System.Runtime.InteropServices;
using Maplog.Capture.Watching;
using Maplog.Hooking;
using Maplog.Kernel;
using Xunit;

namespace Maplog.Tests.Unit.Capture;

public sealed class WaitingMapsTests
{
    private readonly WaitingMaps _maps = new();

    [Fact]
    public void Maps_that_ended_without_a_change_are_not_kept()
    {
        Add(1, changes: 0);
        Add(2, changes: 0);
        Add(3, changes: 1);
        Assert.Equal([1u], Ids(_maps.TakeSuperfluous(id => id != 2)));
        Assert.Equal([2u, 3u], Ids(_maps.Of("ct_map")));
    }

    [Fact]
    public void Of_maps_that_ended_the_first_are_kept_in_their_order_and_none_that_lives_is_dropped()
    {
        for (uint id = 1; id <= WaitingMaps.MaxEnded + 100; id++)
            Add(id, changes: 1);
        Add(1_000, changes: 1);
        var dropped = _maps.TakeSuperfluous(id => id < 1_000);
        Assert.Equal(Enumerable.Range(WaitingMaps.MaxEnded + 1, 100), Ids(dropped).Select(id => (int)id));
        Assert.Equal(1_000u, Ids(_maps.Of("ct_map"))[^1]);
        Assert.Equal(WaitingMaps.MaxEnded + 1, _maps.Count);
        Assert.Empty(_maps.TakeSuperfluous(id => id < 1_000));
    }

    [Fact]
    public void Records_of_all_maps_share_one_room_and_what_a_map_that_leaves_gives_back_is_free_for_the_next()
    {
        var room = new WaitingRoom(3 * RecordHeader.Size);
        WaitingMap first = Map(1, room), second = Map(2, room), third = Map(3, room);
        Take(first, 2);
        Take(second, 2);
        Assert.Equal((false, true), (first.IsOverfull, second.IsOverfull));
        Assert.Equal((2, 2), (first.Changes, second.Changes));
        first.Leave();
        Take(third, 3);
        Assert.False(third.IsOverfull);
    }

    [Fact]
    public void The_ring_is_held_for_the_first_record_of_a_map_as_far_as_there_is_room()
    {
        Add(1, changes: 1, position: 500);
        Assert.Equal(500u, _maps.ReleasableUpTo(1_000, most: 600));
        Assert.Equal(1_000u, _maps.ReleasableUpTo(1_000, most: 400));
    }

    private void Add(uint id, int changes, ulong position = 0)
    {
        _maps.Add(Met(id), hasWaited: false);
        Assert.True(_maps.TryGet(id, out var map));
        for (var i = 0; i < changes; i++)
            Take(map, 1, position);
    }

    private static MetMap Met(uint id) => new(new MapInfo(id, "ct_map", MapType.Hash, 4, 8, 16, 0, 0, 0, 0), "ct_map", 0, id, null);

    private static WaitingMap Map(uint id, WaitingRoom room) => new(Met(id), hasWaited: false, room);

    private static void Take(WaitingMap map, int records, ulong position = 0)
    {
        var bytes = new byte[RecordHeader.Size];
        MemoryMarshal.Write(bytes, new RecordHeader { MapId = map.Info.Id, Operation = RecordOperation.Update, Count = 1 });
        for (var i = 0; i < records; i++)
            map.Take(new RingRecord(position, bytes), isSeen: false);
    }

    private static List<uint> Ids(IEnumerable<WaitingMap> maps) => [.. maps.Select(m => m.Info.Id)];
}
