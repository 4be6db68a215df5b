using System.Text.Json;
using Maplog.Events;
using Maplog.Servers;
using Maplog.Snapshots;
using Xunit;

namespace Maplog.Tests.Integration.Audit;

/// <summary>A per-CPU map, whose changes carry the parts of a value that changed: whoever reads them gets whole values.</summary>
public sealed class PartsTests(TestPostgres postgres)
{
    private const int Cpus = 5;

    [Fact]
    public async Task Most_updates_carry_parts()
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 50, cpus: Cpus);
        var updates = (long)(await history.Log.QueryAsync("select count(*) from maplog.mt_events where stream_id = 'lb-1/ct_map' and type = 'entry_updated'"))!;
        var parted = (long)(await history.Log.QueryAsync("select count(*) from maplog.mt_events where stream_id = 'lb-1/ct_map' and maplog.change_parts(bdata) is not null"))!;
        Assert.InRange(parted, updates / 3, updates);
    }

    [Fact]
    public async Task What_the_map_held_is_whole_in_SQL_and_in_the_command_with_and_without_the_index()
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 51, cpus: Cpus);
        foreach (var version in new[] { 400, 1100, 1900, 2600 })
            Assert.NotNull(await new SnapshotTaker(history.Log.Store).TakeAsync(RecordedHistory.Stream, new StreamVersion(version), cancellation: Cancel));
        var random = new Random(8);
        for (var i = 0; i < 30; i++)
        {
            if (i is 10 or 20)
                await history.Log.QueryAsync($"select audit.index_keys('lb-1/ct_map', {RecordedHistory.Changes / 2 + 1})");
            var version = random.Next(2, history.Model.Count);
            Assert.Equal(history.Model[version]!, await history.QueryStateAsync(version));
            Assert.Equal(history.Model[version]!, await history.ReplayAsync("--version", $"{version}"));
        }
    }

    [Fact]
    public async Task Every_value_and_every_old_value_is_whole_in_SQL_and_in_the_command()
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 52, cpus: Cpus);
        for (var round = 0; round < 2; round++)
        {
            if (round > 0)
                await history.Log.QueryAsync($"select audit.index_keys('lb-1/ct_map', {RecordedHistory.Changes})");
            await using var command = history.Log.Store.Database.CreateCommand(
                """
                select version, encode(key_bytes, 'hex'), old_value::text, encode(value_bytes, 'hex')
                from audit.changes where source = 'lb-1' and stream = 'lb-1/ct_map' order by version
                """);
            await using var rows = await command.ExecuteReaderAsync(Cancel);
            var count = 0;
            for (; await rows.ReadAsync(Cancel); count++)
            {
                var (version, key) = ((int)rows.GetInt64(0), rows.GetString(1));
                Assert.Equal(Text(history.Model[version - 1]!.GetValueOrDefault(key)), rows.IsDBNull(2) ? null : rows.GetString(2));
                Assert.Equal(history.Model[version]!.GetValueOrDefault(key), rows.IsDBNull(3) ? null : rows.GetString(3));
            }
            Assert.Equal(RecordedHistory.Changes - 3, count);
        }
        string[][] ways = [[], ["--key", "7"]];
        foreach (var way in ways)
        {
            var run = await history.RunAsync(["history", "lb-1/ct_map", "--json", .. way]);
            Assert.Equal("", run.Error);
            Assert.NotEmpty(run.Lines);
            foreach (var change in run.Lines.Select(l => JsonDocument.Parse(l).RootElement))
            {
                var (version, key) = ((int)change.GetProperty("version").GetInt64(), change.GetProperty("key_bytes").GetString()!);
                Assert.Equal(Text(history.Model[version - 1]!.GetValueOrDefault(key)), Text(change.GetProperty("old_value")));
                Assert.Equal(Text(history.Model[version]!.GetValueOrDefault(key)), Text(change.GetProperty("value")));
            }
        }
    }

    [Fact]
    public async Task A_watch_that_begins_anywhere_shows_whole_values()
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 53, cpus: Cpus);
        foreach (var from in new[] { 1, 1200, 1700 })
        {
            var run = await history.RunAsync("watch", "lb-1/ct_map", "--from", $"{from}", "--count", "400", "--json");
            Assert.Equal("", run.Error);
            var events = run.Lines.Select(l => JsonDocument.Parse(l).RootElement).ToArray();
            Assert.Equal(Enumerable.Range(from, 400), events.Select(e => (int)e.GetProperty("version").GetInt64()));
            foreach (var update in events.Where(e => e.GetProperty("kind").GetString() == "updated"))
                Assert.Equal(
                    history.Model[(int)update.GetProperty("version").GetInt64()]![update.GetProperty("key").GetString()!], update.GetProperty("value").GetString());
        }
    }

    [Fact]
    public async Task What_is_left_after_a_prune_has_whole_values()
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 54, sealEvery: 100, cpus: Cpus);
        await history.Log.QueryAsync("select audit.index_keys('lb-1/ct_map', 2500)");
        var run = await history.RunAsync("prune", "lb-1/ct_map", "--before", $"{history.Times[2000]:yyyy-MM-dd'T'HH:mm:ss.ffffffZ}");
        Assert.Equal("", run.Error);
        Assert.Equal(0, (await history.RunAsync("verify-log", "lb-1/ct_map")).Code);
        foreach (var version in new[] { 1901, 1950, 2300, 2700, history.Model.Count - 1 })
        {
            Assert.Equal(history.Model[version]!, await history.QueryStateAsync(version));
            Assert.Equal(history.Model[version]!, await history.ReplayAsync("--version", $"{version}"));
        }
        await using var command = history.Log.Store.Database.CreateCommand(
            "select version, encode(key, 'hex'), encode(value, 'hex') from maplog.changes_of('lb-1/ct_map') where kind in ('added', 'updated')");
        await using var rows = await command.ExecuteReaderAsync(Cancel);
        while (await rows.ReadAsync(Cancel))
            Assert.Equal(history.Model[(int)rows.GetInt64(0)]![rows.GetString(1)], rows.GetString(2));
    }

    [Fact]
    public async Task A_typed_view_has_the_first_CPUs_value_whatever_changed()
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 55, cpus: Cpus);
        Assert.Equal("", (await history.RunAsync("audit", "view", "lb-1/ct_map")).Error);
        await using var command = history.Log.Store.Database.CreateCommand(
            "select version, encode(key_bytes, 'hex'), encode(value_bytes, 'hex') from audit.\"lb-1_ct_map\" where kind in ('added', 'updated') and version < 1000");
        await using var rows = await command.ExecuteReaderAsync(Cancel);
        while (await rows.ReadAsync(Cancel))
            Assert.Equal(history.Model[(int)rows.GetInt64(0)]![rows.GetString(1)], rows.GetString(2));
    }

    private static string? Text(JsonElement value) => value.ValueKind == JsonValueKind.Null ? null : "[" + string.Join(", ", value.EnumerateArray().Select(e => e.GetRawText())) + "]";

    private static string? Text(string? whole) =>
        whole is null ? null : "[" + string.Join(", ", Enumerable.Range(0, Cpus).Select(cpu => $"\"{whole.Substring(cpu * 16, 12)}\"")) + "]";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
