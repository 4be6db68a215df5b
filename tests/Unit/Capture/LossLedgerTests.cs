using Maplog.Capture.Pipeline;
using Maplog.Capture.Watching;
using Maplog.Events;
using Maplog.Hooking;
using Maplog.Kernel;
using Xunit;

namespace Maplog.Tests.Unit.Capture;

public sealed class LossLedgerTests
{
    private readonly Counts _counts = new();
    private readonly List<(uint Map, string Reason, ulong Count, long From, long To)> _reported = [];
    private readonly LossLedger _ledger;
    private readonly EventSink _sink = new(new KernelClock(TimeProvider.System), new Epoch(1), null!);

    public LossLedgerTests() => _ledger = new(_counts, (map, reason, count, from, to) => _reported.Add((map.Id, reason, count, from, to)));

    [Fact]
    public void Losses_between_the_last_count_and_the_close_are_reported()
    {
        var map = Open(7);
        _counts.Losses[map.Slot] = new Losses(1, 0, 0);
        _ledger.Count(200, isLast: false);
        _counts.Losses[map.Slot] = new Losses(3, 4, 0);
        _ledger.Close(map, 300);
        Assert.Equal([(7, "ring-full", 1, 100, 200), (7, "ring-full", 2, 200, 300), (7, "unreadable", 4, 200, 300)], _reported);
    }

    [Fact]
    public void Skips_that_wait_for_their_second_are_reported_at_the_close()
    {
        var map = Open(7);
        _counts.Skips[MapType.Hash] = 5;
        _ledger.Count(200, isLast: false);
        Assert.Empty(_reported);
        _ledger.Close(map, 300);
        Assert.Equal([(7, "skipped", 5, 100, 300)], _reported);
    }

    [Fact]
    public void The_next_map_of_a_slot_has_none_of_the_losses_of_the_map_before()
    {
        var first = Open(7);
        _counts.Losses[first.Slot] = new Losses(2, 0, 0);
        _ledger.Close(first, 200);
        _ledger.Committed(_ledger.TakeStatement());
        var second = Open(8);
        Assert.Equal(first.Slot, second.Slot);
        _ledger.Count(300, isLast: true);
        Assert.Equal([(7, "ring-full", 2, 100, 200)], _reported);
        _counts.Losses[second.Slot] = new Losses(2, 0, 1);
        _ledger.Count(400, isLast: true);
        Assert.Equal((8u, "too-long", 1ul, 100L, 400L), _reported[^1]);
    }

    [Fact]
    public void A_slot_has_no_other_map_before_the_account_of_its_last_is_written()
    {
        var first = Open(7);
        _counts.Losses[first.Slot] = new Losses(2, 0, 0);
        _ledger.Count(150, isLast: false);
        var underWay = _ledger.TakeStatement();
        _ledger.Close(first, 200);
        var second = Open(8);
        Assert.NotEqual(first.Slot, second.Slot);
        _counts.Losses[second.Slot] = new Losses(9, 0, 0);
        _ledger.Count(210, isLast: false);
        _ledger.Committed(underWay);
        Assert.NotEqual(first.Slot, Open(9).Slot);
        var last = _ledger.TakeStatement();
        _ledger.Committed(last);
        Assert.Equal(new Losses(2, 0, 0), _counts.Accounts[first.Slot].Losses);
        Assert.Equal(new Losses(9, 0, 0), _counts.Accounts[second.Slot].Losses);
        Assert.Equal(first.Slot, Open(10).Slot);
    }

    [Fact]
    public void An_account_is_written_only_when_its_losses_are_committed()
    {
        var map = Open(7);
        _counts.Losses[map.Slot] = new Losses(2, 0, 0);
        _ledger.Count(150, isLast: false);
        Assert.Equal(default, _counts.Accounts[map.Slot].Losses);
        _ledger.Committed(_ledger.TakeStatement());
        Assert.Equal(new Losses(2, 0, 0), _counts.Accounts[map.Slot].Losses);
    }

    [Fact]
    public void A_map_that_goes_on_keeps_its_slot_and_the_losses_that_nobody_counted()
    {
        _counts.Accounts[5] = new Accounted(new Losses(1, 0, 0), 0);
        _counts.Losses[5] = new Losses(4, 0, 0);
        var slot = _ledger.Enter(MapType.Hash, given: 5);
        _ledger.Open(Map(7, slot), 50);
        _ledger.Count(200, isLast: false);
        Assert.Equal(5, slot);
        Assert.Equal([(7, "ring-full", 3, 50, 200)], _reported);
    }

    [Fact]
    public void Losses_of_a_map_that_was_never_opened_are_told()
    {
        _counts.Losses[1] = new Losses(10, 0, 0);
        var slot = _ledger.Enter(MapType.Hash, given: null);
        _counts.Losses[slot] = new Losses(10, 2, 1);
        Assert.Equal(3, _ledger.LostOf(slot));
        Assert.Equal(3, _ledger.Leave(slot));
        Assert.Equal(slot, _ledger.Enter(MapType.Hash, given: null));
        Assert.Equal(0, _ledger.LostOf(slot));
    }

    private CapturedMap Open(uint id)
    {
        var map = Map(id, _ledger.Enter(MapType.Hash, given: null));
        _ledger.Open(map, 100);
        return map;
    }

    private CapturedMap Map(uint id, int slot)
    {
        var shape = new MapShape((int)MapType.Hash, 4, 4, 16, 0, 0);
        return new CapturedMap(new CapturedStream(new StreamName("here", "m")), id, "m", shape, new KnownContent(shape), slot, _sink);
    }

    private sealed class Counts : ILossCounts
    {
        public Dictionary<int, Losses> Losses { get; } = [];

        public Dictionary<MapType, ulong> Skips { get; } = [];

        public Dictionary<int, Accounted> Accounts { get; } = [];

        public Losses ReadLosses(int slot) => Losses.GetValueOrDefault(slot);

        public IReadOnlyDictionary<MapType, ulong> ReadSkips() => Skips;

        public Accounted ReadAccount(int slot) => Accounts.GetValueOrDefault(slot);

        public void Account(int slot, in Accounted account) => Accounts[slot] = account;
    }
}
