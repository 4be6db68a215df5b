using System.Text.Json;
using Maplog.Events;
using Maplog.Log;
using Maplog.Servers;
using Maplog.Snapshots;
using Xunit;

namespace Maplog.Tests.Integration.Audit;

public sealed class SnapshotTests(TestPostgres postgres)
{
    [Fact]
    public async Task Replay_from_a_snapshot_is_replay_of_the_whole_history()
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 21);
        var random = new Random(5);
        var versions = Enumerable.Range(0, 100).Select(_ => random.Next(2, history.Model.Count)).ToList();
        var whole = new List<string>();
        foreach (var version in versions)
            whole.Add((await history.RunAsync("replay", "lb-1/ct_map", "--version", $"{version}", "--json")).Output);
        for (var i = 0; i < 6; i++)
            Assert.NotNull(await new SnapshotTaker(history.Log.Store).TakeAsync(RecordedHistory.Stream, new StreamVersion(random.Next(2, history.Model.Count)), cancellation: Cancel));
        for (var i = 0; i < versions.Count; i++)
            Assert.Equal(whole[i], (await history.RunAsync("replay", "lb-1/ct_map", "--version", $"{versions[i]}", "--json")).Output);
    }

    [Fact]
    public async Task The_command_writes_a_snapshot_of_the_head_and_lists_it()
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 22);
        var head = history.Model.Count - 1;
        var run = await history.RunAsync("snapshot", "lb-1/ct_map");
        Assert.Equal("", run.Error);
        Assert.StartsWith($"Snapshot of lb-1/ct_map at version {head}: {history.Model[head]!.Count} entries in 1 chunk, hash ", run.Output, StringComparison.Ordinal);
        var listed = JsonDocument.Parse((await history.RunAsync("snapshot", "lb-1/ct_map", "--list", "--json")).Output).RootElement;
        Assert.Equal(head, Assert.Single(listed.EnumerateArray()).GetProperty("version").GetInt64());
        var held = await history.Log.QueryAsync("select count(*) from maplog.snapshots s, maplog.snapshot_entries(s.number)");
        Assert.Equal((long)history.Model[head]!.Count, held);
    }

    [Fact]
    public async Task A_map_larger_than_a_chunk_comes_back_as_it_was()
    {
        await using var log = await Integration.Log.LogDatabase.MigratedAsync(postgres);
        var shape = new MapShape(1, 24, 64, 100_000, 0, 0);
        var opened = new LoggedNote<MapOpened>(new StreamVersion(2), Integration.Log.Made.Time, Integration.Log.Made.Opened() with { Shape = shape });
        const int count = 30_001;
        var handed = 0;
        var store = new SnapshotStore(log.Store);
        var written = await store.WriteAsync(new Snapshot(RecordedHistory.Stream, new StreamVersion(7), Integration.Log.Made.Time, new Epoch(1), true, opened, null), (keys, values) =>
        {
            var some = Math.Min(count - handed, keys.Length / 24);
            for (var i = 0; i < some; i++, handed++)
            {
                BitConverter.TryWriteBytes(keys[(i * 24)..], handed);
                BitConverter.TryWriteBytes(values[(i * 64)..], handed * 7);
            }
            return some;
        }, Cancel);
        Assert.Equal(count, written.Entries);
        Assert.True(written.Chunks > 2);
        var seen = 0;
        await foreach (var chunk in store.ReadAsync(written, Cancel))
            for (var i = 0; i < chunk.Count; i++, seen++)
                Assert.Equal((seen, seen * 7), (BitConverter.ToInt32(chunk.Keys[(i * 24)..]), BitConverter.ToInt32(chunk.Values[(i * 64)..])));
        Assert.Equal(count, seen);
        // Who has seen enough leaves early.
        await foreach (var _ in store.ReadAsync(written, Cancel))
            break;
    }

    [Theory]
    [InlineData("update maplog.snapshot_chunks set data = set_byte(data, 3, 255)", "chunk 0 of 1 has another hash")]
    [InlineData("update maplog.snapshot_chunks set hash = sha256('x')", "its hash is not the stored hash")]
    [InlineData("update maplog.snapshots set epoch = 9", "its hash is not the stored hash")]
    [InlineData("delete from maplog.snapshot_chunks", "it has 0 entries in 0 chunks")]
    public async Task A_damaged_snapshot_is_told_and_the_history_is_used(string damage, string why)
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 23);
        await history.RunAsync("snapshot", "lb-1/ct_map");
        await history.Log.QueryAsync(damage);
        var run = await history.RunAsync("replay", "lb-1/ct_map", "--json");
        Assert.Contains("The snapshot of lb-1/ct_map at version", run.Error, StringComparison.Ordinal);
        Assert.Contains(why, run.Error, StringComparison.Ordinal);
        Assert.Equal(0, run.Code);
        Assert.Equal(history.Model[^1]!, RecordedHistory.Entries(run));
    }

    [Fact]
    public async Task Only_the_newest_snapshots_are_kept()
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 24);
        foreach (var version in new[] { 100, 900, 1700, 2500 })
            await new SnapshotTaker(history.Log.Store).TakeAsync(RecordedHistory.Stream, new StreamVersion(version), cancellation: Cancel);
        var store = new SnapshotStore(history.Log.Store);
        Assert.Equal(2, await store.DropAllButAsync(RecordedHistory.Stream, 2, Cancel));
        Assert.Equal([2500, 1700], (await store.FindAsync(RecordedHistory.Stream, new StreamVersion(9999), cancellation: Cancel)).Select(s => s.Version.Value));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
