using System.Buffers.Binary;
using System.Globalization;
using Maplog.Events;
using Maplog.Kernel;
using Maplog.Servers;
using Maplog.Tests.Kernel.Capturing;
using Maplog.Tests.Kernel.Walking;

namespace Maplog.Tests.Kernel.Promoting;

/// <summary>Two nodes take turns as the writer of a source.</summary>
public sealed class PromotionTests(TestPostgres postgres, TestRabbitMq rabbit)
{
    private static readonly int Promotions = int.Parse(Environment.GetEnvironmentVariable("PROMOTIONS") ?? "2", CultureInfo.InvariantCulture);

    [Fact(Timeout = 300_000)]
    public async Task A_promoted_node_goes_on_in_its_replica_and_the_other_follows_it()
    {
        await using var pair = await Pair.StartAsync(postgres, rabbit);
        using var a = pair.A.OpenMap();
        BusyMap.Change(a, 20_000, seed: 1);
        await pair.EqualAsync();
        var (status, said) = await pair.PromoteAsync(pair.B);
        Assert.True(status == 0, said);
        Assert.Contains("node-b writes it", said, StringComparison.Ordinal);
        using var b = pair.B.OpenMap();
        BusyMap.Change(b, 20_000, seed: 2);
        await pair.EqualAsync();

        // Back again, while the map changes until the promotion is over.
        (status, said) = await pair.PromoteAsync(pair.A);
        Assert.True(status == 0, $"{said}\na: {pair.A.Capture.LastLines(9)}\nb: {pair.B.Capture.LastLines(9)}");
        BusyMap.Change(a, 20_000, seed: 3);
        await pair.EqualAsync();
        await pair.LoggedAsync(60_000);
        Assert.Equal((1, 2), (await pair.CountAsync(EventKind.MapOpened), await pair.CountAsync(EventKind.MapMoved)));
    }

    [Fact(Timeout = 300_000)]
    public async Task All_that_the_old_writer_recorded_is_logged_before_the_new_one_begins()
    {
        await using var pair = await Pair.StartAsync(postgres, rabbit);
        using var a = pair.A.OpenMap();
        var writing = Task.Run(() => BusyMap.Change(a, 100_000), TestContext.Current.CancellationToken);
        Assert.Equal(0, (await pair.PromoteAsync(pair.B)).Status);
        var recorded = await pair.FoldAsync();
        await writing;
        using var b = pair.B.OpenMap();
        Assert.Null(BusyMap.Difference(b, recorded));
        Assert.True(await pair.CountAsync(EventKind.GapFound, g => NoteCodec.Read<GapFound>(g.Data.Span).Reason != "late-attach") == 0, await pair.StoryAsync());
        // What the old node's map has beyond that is no history: it follows the new one.
        await pair.EqualAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task No_value_written_in_place_before_a_promotion_is_missing_after_it()
    {
        await using var pair = await Pair.StartAsync(postgres, rabbit, () => BpfMap.Create(Pair.Map, MapType.Hash, 24, 64, 10_000));
        using (var table = new PokedTable(pair.A.OpenMap()))
            table.Make(0, 5000, state: 0);
        uint state = 0;
        for (var i = 0; i < Promotions; i++)
        {
            var (from, to) = i % 2 == 0 ? (pair.A, pair.B) : (pair.B, pair.A);
            using var written = new PokedTable(from.OpenMap());
            using var over = new CancellationTokenSource();
            var load = Task.Run(() =>
            {
                while (!over.IsCancellationRequested)
                    written.Poke(state % 50, 100, ++state, step: 50);
            }, CancellationToken.None);
            await Task.Delay(300, TestContext.Current.CancellationToken);
            var before = WalkTests.Read(written.Map);
            var (status, said) = await pair.PromoteAsync(to);
            await over.CancelAsync();
            await load;
            Assert.True(status == 0, said);
            using var map = to.OpenMap();
            var after = WalkTests.Read(map);
            Assert.Equal(5000, after.Count);
            Assert.Empty(before.Where(e => StateOf(after[e.Key]) < StateOf(e.Value)).Select(e => $"{StateOf(e.Value)} became {StateOf(after[e.Key])}"));
            await from.Capture.SaysAsync("The last look at the watched maps (1) is over.");
            await SameAsync(from, to);
        }
        Assert.Equal(0, await pair.CountAsync(EventKind.GapFound, g => NoteCodec.Read<GapFound>(g.Data.Span).Reason != "late-attach"));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_writer_that_was_deposed_behind_its_back_is_refused_at_its_next_commit_and_says_so()
    {
        await using var pair = await Pair.StartAsync(postgres, rabbit);
        using var a = pair.A.OpenMap();
        BusyMap.Change(a, 5_000);
        await pair.EqualAsync();
        pair.A.Capture.Stop();
        Assert.Equal(0, (await pair.PromoteAsync(pair.B, "--force")).Status);
        BusyMap.Change(a, 1_000, seed: 9);
        pair.A.Capture.GoOnRunning();
        await pair.A.Capture.SaysAsync("has been deposed");
        await pair.A.Capture.SaysAsync("Standing by");
        using var b = pair.B.OpenMap();
        BusyMap.Change(b, 5_000, seed: 2);
        await pair.EqualAsync();
        var terms = (await pair.FoldAsync()).Epoch;
        Assert.Equal(new Epoch(2), terms);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_node_whose_writer_died_is_succeeded_when_its_lease_has_run_out_and_comes_back_as_a_replica()
    {
        await using var pair = await Pair.StartAsync(postgres, rabbit);
        using var a = pair.A.OpenMap();
        BusyMap.Change(a, 5_000);
        await pair.EqualAsync();
        pair.A.Capture.Kill();
        await pair.A.Capture.EndAsync();
        BusyMap.Change(a, 2_000, seed: 4); // in its ring, which nobody reads any more
        Assert.Equal(0, (await pair.PromoteAsync(pair.B)).Status);
        using var b = pair.B.OpenMap();
        BusyMap.Change(b, 5_000, seed: 5);
        pair.A.StartCapture();
        await pair.A.Capture.SaysAsync("Standing by");
        await pair.EqualAsync();
        // Promoted again, it does not log what its hook recorded while it was none of its history.
        Assert.Equal(0, (await pair.PromoteAsync(pair.A)).Status);
        BusyMap.Change(a, 1_000, seed: 6);
        await pair.EqualAsync();
        await pair.LoggedAsync(11_000);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_node_without_a_standby_writer_or_without_its_replicas_is_not_promoted()
    {
        await using var pair = await Pair.StartAsync(postgres, rabbit);
        pair.B.Capture.Terminate();
        Assert.Equal(0, await pair.B.Capture.EndAsync());
        var (status, said) = await pair.PromoteAsync(pair.B);
        Assert.Equal(1, status);
        Assert.Contains("no capture that stands by", said, StringComparison.Ordinal);

        pair.B.Replicator.Kill();
        await pair.B.Replicator.EndAsync();
        using (var a = pair.A.OpenMap())
            BusyMap.Change(a, 30_000);
        pair.B.StartCapture();
        await pair.B.Capture.SaysAsync("Standing by");
        await Task.Delay(3_000, TestContext.Current.CancellationToken);
        (status, said) = await pair.PromoteAsync(pair.B, "--within", "3");
        Assert.Equal(1, status);
        Assert.Contains("versions behind", said, StringComparison.Ordinal);
        Assert.Equal("node-a", (await pair.Lease.ReadAsync(TestContext.Current.CancellationToken))!.Node);
        pair.B.StartReplicator();
        await pair.EqualAsync();
    }

    // Hexadecimal, as WalkTests.Read gives it.
    private static ulong StateOf(string value) => BinaryPrimitives.ReadUInt64LittleEndian(Convert.FromHexString(value[..16]));

    private static async Task SameAsync(PairNode one, PairNode other)
    {
        using BpfMap a = one.OpenMap(), b = other.OpenMap();
        for (var tries = 0; ; tries++)
        {
            var (first, second) = (WalkTests.Read(a), WalkTests.Read(b));
            if (first.Count == second.Count && first.All(e => second.GetValueOrDefault(e.Key) == e.Value))
                return;
            Assert.True(tries < 100, "the maps of the two nodes still differ after 20 s");
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
    }
}
