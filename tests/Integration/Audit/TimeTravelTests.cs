using System.Text.Json;
using System.Text.RegularExpressions;
using Maplog.Events;
using Maplog.Servers;
using Maplog.Snapshots;
using Xunit;

namespace Maplog.Tests.Integration.Audit;

public sealed class TimeTravelTests(TestPostgres postgres)
{
    private const int Moments = 1000;

    [Fact]
    public async Task Replay_at_any_version_or_time_is_what_the_map_held()
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 20260301);
        var random = new Random(7);
        // Snapshots here and there: replays begin with them, with a map_opened, or with the first event.
        foreach (var version in new[] { 400, 1100, 1900, 2600 })
            Assert.NotNull(await new SnapshotTaker(history.Log.Store).TakeAsync(RecordedHistory.Stream, new StreamVersion(version), cancellation: Cancel));
        for (var i = 0; i < Moments; i++)
        {
            int version;
            string[] when;
            if (i % 2 == 0)
            {
                version = random.Next(2, history.Model.Count);
                when = ["--version", $"{version}"];
            }
            else
            {
                // At an event, just before one, or anywhere between: the clock was set back and forth, and yet there is one answer.
                var time = history.Times[random.Next(2, history.Times.Count)].AddTicks(random.Next(3) switch { 0 => 0, 1 => 10, _ => random.Next(100_000) * 10 });
                version = history.VersionAt(time);
                when = ["--at", $"{time:yyyy-MM-dd'T'HH:mm:ss.ffffffZ}"];
            }
            var run = await history.RunAsync(["replay", "lb-1/ct_map", "--json", .. when]);
            Assert.Equal("", run.Error);
            Assert.Equal(0, run.Code);
            var json = JsonDocument.Parse(run.Output).RootElement;
            Assert.Equal(version, json.GetProperty("version").GetInt64());
            Assert.Equal(history.Model[version]!, json.GetProperty("entries").EnumerateArray().ToDictionary(e => e.GetProperty("key_bytes").GetString()!, e => e.GetProperty("value_bytes").GetString()!));
        }
    }

    [Fact]
    public async Task The_SQL_function_and_the_command_agree()
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 2);
        var random = new Random(8);
        for (var i = 0; i < 60; i++)
        {
            // Half of the time with an index of keys, filled to somewhere behind the head.
            if (i == 30)
                await history.Log.QueryAsync("select audit.index_keys('lb-1/ct_map', 1700)");
            var time = history.Times[random.Next(2, history.Times.Count)].AddTicks(random.Next(2) * 10);
            var version = history.VersionAt(time);
            await using var command = history.Log.Store.Database.CreateCommand("select encode(key_bytes, 'hex'), encode(value_bytes, 'hex') from audit.state_at('lb-1/ct_map', $1)");
            command.Parameters.Add(new() { Value = time });
            var held = new SortedDictionary<string, string>(StringComparer.Ordinal);
            await using (var rows = await command.ExecuteReaderAsync(Cancel))
                while (await rows.ReadAsync(Cancel))
                    held.Add(rows.GetString(0), rows.GetString(1));
            Assert.Equal(history.Model[version]!, held);
            Assert.Equal((long)version, await history.Log.QueryAsync($"select audit.version_at('lb-1/ct_map', '{time:O}')"));
        }
    }

    [Fact]
    public async Task Every_old_value_of_the_view_is_what_the_model_held_before()
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 3);
        for (var round = 0; round < 3; round++)
        {
            // Nothing indexed; half; all.
            if (round > 0)
                await history.Log.QueryAsync($"select audit.index_keys('lb-1/ct_map', {RecordedHistory.Changes / 2 + 1})");
            await using var command = history.Log.Store.Database.CreateCommand(
                "select version, encode(key_bytes, 'hex'), old_value #>> '{}', value #>> '{}', extract(epoch from old_lived)::float8 from audit.changes where source = 'lb-1' and stream = 'lb-1/ct_map' order by version");
            await using var rows = await command.ExecuteReaderAsync(Cancel);
            var count = 0;
            var since = new Dictionary<string, DateTimeOffset>();
            while (await rows.ReadAsync(Cancel))
            {
                var version = (int)rows.GetInt64(0);
                var key = rows.GetString(1);
                var before = history.Model[version - 1]!.GetValueOrDefault(key);
                Assert.Equal(before, rows.IsDBNull(2) ? null : rows.GetString(2));
                Assert.Equal(history.Model[version]!.GetValueOrDefault(key), rows.IsDBNull(3) ? null : rows.GetString(3));
                if (before is not null)
                    Assert.Equal((history.Times[version] - since[key]).TotalSeconds, rows.GetDouble(4), 5);
                since[key] = history.Times[version];
                count++;
            }
            Assert.Equal(RecordedHistory.Changes - 3, count);
        }
        Assert.Equal(0L, await history.Log.QueryAsync("select behind - 1 from audit.index_lag where stream = 'lb-1/ct_map'") is long behind ? Math.Max(behind, 0) : -1);
    }

    [Fact]
    public async Task A_keys_history_is_the_same_with_and_without_the_index()
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 4);
        var scanned = await history.RunAsync("history", "lb-1/ct_map", "--key", "7", "--json");
        Assert.Equal("", scanned.Error);
        var expected = Enumerable.Range(2, history.Model.Count - 2).Where(v => history.Model[v]!.GetValueOrDefault("07000000") != history.Model[v - 1]?.GetValueOrDefault("07000000") && v != RecordedHistory.Changes / 2 + 1);
        Assert.Equal(expected.Select(v => (long)v), scanned.Lines.Select(l => JsonDocument.Parse(l).RootElement.GetProperty("version").GetInt64()));
        await history.Log.QueryAsync("select audit.index_keys('lb-1/ct_map', 1234)");
        Assert.Equal(scanned.Output, (await history.RunAsync("history", "lb-1/ct_map", "--key", "07000000", "--json")).Output);
        await history.Log.QueryAsync("select audit.index_keys('lb-1/ct_map')");
        Assert.Equal(scanned.Output, (await history.RunAsync("history", "lb-1/ct_map", "--key", "0x07000000", "--json")).Output);
        Assert.Equal(scanned.Lines[^5..], (await history.RunAsync("history", "lb-1/ct_map", "--key", "7", "--json", "--last", "5")).Lines);
    }

    [Fact]
    public async Task A_keys_history_is_found_by_the_index_and_a_window_of_time_by_its_own()
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 5);
        await history.Log.QueryAsync("select audit.index_keys('lb-1/ct_map')");
        var plan = await PlanAsync(history, "select * from audit.key_events('lb-1/ct_map', '\\x07000000', 1)");
        Assert.Contains("key_index_pkey", plan, StringComparison.Ordinal);
        var window = await PlanAsync(history, "select * from audit.changes where at > timestamptz '2026-03-02 12:00Z' and key->>'dport' = '443'");
        Assert.Contains("Bitmap Index Scan on mt_events_lb_1", window, StringComparison.Ordinal);
        Assert.Contains("timestamp_idx", window, StringComparison.Ordinal);
    }

    private const int Events = 200_000, Keys = 20_000;

    [Fact]
    public async Task Among_many_events_a_keys_history_is_read_by_the_index_and_never_by_a_scan_of_the_events()
    {
        await using var log = await Integration.Log.LogDatabase.MigratedAsync(postgres);
        var stream = Integration.Log.Made.Stream("lb-1/ct_map");
        var writer = await Maplog.Log.LogWriter.OpenAsync(log.Store, "lb-1", Cancel);
        using var batch = new Maplog.Log.EventBatch();
        batch.AddNote(stream, new StreamVersion(1), Integration.Log.Made.Time, Integration.Log.Made.Opened());
        for (var version = 2; version <= Events; version++)
        {
            var key = BitConverter.GetBytes((long)(version % Keys));
            batch.AddChange(stream, new StreamVersion(version), Integration.Log.Made.Time.AddMilliseconds(version), EventKind.EntryUpdated, Integration.Log.Made.Payload(key, key, version * 64L));
            if (batch.Count < 5000 && version < Events)
                continue;
            await writer.AppendAsync(batch, Cancel);
            batch.Clear();
        }
        await log.QueryAsync("select audit.index_keys('lb-1/ct_map', 1000000)");
        await log.QueryAsync("vacuum analyze");
        // With what Postgres knows of the tables, and without.
        await AssertByIndexAsync(log);
        await log.QueryAsync("delete from pg_statistic where starelid::regclass::text ~ 'mt_events|key_index|indexed_streams'");
        await AssertByIndexAsync(log);

        static async Task AssertByIndexAsync(Integration.Log.LogDatabase log)
        {
            var plan = await QueryPlan.OfAsync(log.Store.Database, "select * from audit.key_events('lb-1/ct_map', '\\x0700000000000000', 1) order by version", [], cancellation: Cancel);
            Assert.Contains("key_index_pkey", plan, StringComparison.Ordinal);
            Assert.DoesNotContain("Seq Scan on mt_events", plan, StringComparison.Ordinal);
            Assert.DoesNotContain("Seq Scan on key_index", plan, StringComparison.Ordinal);
            // Of each part of the answer no more is looked at than belongs to it: the key's changes, the tail, the map's beginnings.
            Assert.DoesNotMatch(new Regex(@"rows=\d{3,} loops="), plan);
        }
    }

    [Fact]
    public async Task A_diff_of_two_moments_is_the_models()
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 6);
        var (from, to) = (700, 1400);
        var run = await history.RunAsync("diff", "lb-1/ct_map", "--from", $"{from}", "--to", $"{to}", "--json");
        Assert.Equal(1, run.Code);
        var json = JsonDocument.Parse(run.Output).RootElement;
        var expected = history.Model[from]!.Keys.Union(history.Model[to]!.Keys).Where(k => history.Model[from]!.GetValueOrDefault(k) != history.Model[to]!.GetValueOrDefault(k)).Order(StringComparer.Ordinal);
        Assert.Equal(expected, json.GetProperty("differences").EnumerateArray().Select(d => d.GetProperty("key_bytes").GetString()!));
        Assert.Equal(0, (await history.RunAsync("diff", "lb-1/ct_map", "--from", "700", "--to", "700")).Code);
    }

    [Theory]
    [InlineData(1, "did not exist at 2020-01-01T00:00:00.000000Z: it begins at 2026-03-01T12:00:00.", "replay", "lb-1/ct_map", "--at", "2020-01-01T00:00Z")]
    [InlineData(2, "has no version 99999: its head is", "replay", "lb-1/ct_map", "--version", "99999")]
    [InlineData(1, "had no map yet at version 1", "replay", "lb-1/ct_map", "--version", "1")]
    [InlineData(2, "Did you mean lb-1/ct_map?", "replay", "lb-1/ct_mpa")]
    [InlineData(2, "'soon' is not a time: write 2026-03-01T14:00:00Z", "replay", "lb-1/ct_map", "--at", "soon")]
    [InlineData(2, "each name a moment: give only one of them", "replay", "lb-1/ct_map", "--at", "now", "--version", "3")]
    [InlineData(2, "'first' is not an event: give a version, an event's id, or a kind", "replay", "lb-1/ct_map", "--before", "first")]
    [InlineData(1, "has no event 'gap_found'", "replay", "lb-1/ct_map", "--before", "gap_found")]
    [InlineData(2, "--key: 'seven' is not a value of the key: it is a number of 4 bytes.", "history", "lb-1/ct_map", "--key", "seven")]
    [InlineData(2, "'0000000' is either a number or hex of a wrong length, 7 digits instead of 8", "history", "lb-1/ct_map", "--key", "0000000")]
    [InlineData(2, "--from is version 20, after --to, version 10: exchange them.", "history", "lb-1/ct_map", "--from", "20", "--to", "10")]
    [InlineData(2, "after --to, 2026-03-01T00:00:00.000000Z: exchange them.", "history", "lb-1/ct_map", "--from", "2026-03-02T00:00Z", "--to", "2026-03-01T00:00Z")]
    [InlineData(2, "which comes after version 5 of --to", "history", "lb-1/ct_map", "--from", "2026-03-01T12:00:01Z", "--to", "5")]
    [InlineData(2, "has no version 1767225600: its head is 3001. A time in unix seconds is written @1767225600.", "history", "lb-1/ct_map", "--from", "1767225600")]
    [InlineData(1, "lb-1/ct_map has no change of key 9999 from version 1 to 3001.", "history", "lb-1/ct_map", "--key", "9999")]
    [InlineData(1, "lb-1/ct_map has no change of kind added, process envoy from version 7 to 9.", "history", "lb-1/ct_map", "--kind", "added", "--process", "envoy", "--from", "7", "--to", "9")]
    [InlineData(2, "--kind: there is no 'deletd'. Did you mean deleted?", "history", "lb-1/ct_map", "--kind", "deletd")]
    [InlineData(2, "--kind: there is no 'gap_found': write added, updated, deleted, evicted.", "history", "lb-1/ct_map", "--kind", "gap_found")]
    [InlineData(2, "--origin: there is no 'kernel': write unknown, program, syscall, eviction, scan, read-back, in-place.", "watch", "lb-1/ct_map", "--origin", "kernel")]
    [InlineData(2, "9999-01-01T00:00:00.000000Z is in the future: it is ", "replay", "lb-1/ct_map", "--at", "9999-01-01T00:00Z")]
    [InlineData(2, "9999-01-01T00:00:00.000000Z is in the future: it is ", "history", "lb-1/ct_map", "--from", "9999-01-01T00:00Z")]
    [InlineData(2, "9999-01-01T00:00:00.000000Z is in the future: it is ", "history", "lb-1/ct_map", "--to", "9999-01-01T00:00Z")]
    [InlineData(2, "9999-01-01T00:00:00.000000Z is in the future: it is ", "diff", "lb-1/ct_map", "--from", "9999-01-01T00:00Z")]
    [InlineData(2, "9999-01-01T00:00:00.000000Z is in the future: it is ", "get", "lb-1/ct_map", "7", "--at", "9999-01-01T00:00Z")]
    [InlineData(2, "--before: 9999-01-01T00:00:00.000000Z is in the future: it is ", "prune", "lb-1/ct_map", "--before", "9999-01-01T00:00Z")]
    [InlineData(2, "KEY: '12345678901' is not a value of the key: it is a number of 4 bytes.", "get", "lb-1/ct_map", "12345678901")]
    [InlineData(1, "lb-1/ct_map has no entry 9999 at version 3001, ", "get", "lb-1/ct_map", "9999")]
    [InlineData(2, "so 'value.peer=ipv4' names no field: take the type from an object file", "describe", "lb-1/ct_map", "--hint", "value.peer=ipv4")]
    public async Task What_cannot_be_is_a_sentence_and_a_code(int code, string sentence, params string[] arguments)
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 1);
        var run = await history.RunAsync(arguments);
        Assert.Contains(sentence, run.Error, StringComparison.Ordinal);
        Assert.Equal(code, run.Code);
        Assert.Empty(run.Output);
    }

    [Fact]
    public async Task One_entry_is_what_the_map_held_then()
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 12);
        foreach (var version in new[] { 40, 900, 1400, 2999 })
        {
            var (key, value) = history.Model[version]!.First();
            var number = BitConverter.ToUInt32(Convert.FromHexString(key));
            Assert.Equal($"{number} -> {value}\n", (await history.RunAsync("get", "lb-1/ct_map", $"{number}", "--version", $"{version}")).Output);
            var json = await history.RunAsync("get", "lb-1/ct_map", key, "--json", "--at", $"@{(history.Times[version] - DateTimeOffset.UnixEpoch).TotalMicroseconds:0}".Insert(11, "."));
            Assert.Equal(history.Model[history.VersionAt(history.Times[version])]!.GetValueOrDefault(key), RecordedHistory.Entries(json).GetValueOrDefault(key));
        }
    }

    [Fact]
    public async Task A_history_of_one_kind_and_origin_has_all_of_those_and_no_other()
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 13);
        var all = (await history.RunAsync("history", "lb-1/ct_map", "--json")).Lines;
        var wanted = all.Where(l => JsonDocument.Parse(l).RootElement.GetProperty("kind").GetString() is "deleted" or "evicted").ToArray();
        Assert.NotEmpty(wanted);
        Assert.NotEqual(all.Length, wanted.Length);
        Assert.Equal(wanted, (await history.RunAsync("history", "lb-1/ct_map", "--json", "--kind", "deleted,evicted", "--origin", "program", "--process", "bpftool")).Lines);
        Assert.Equal(wanted, (await history.RunAsync("history", "lb-1/ct_map", "--json", "--kind", "deleted", "--kind", "evicted", "--process", "4711")).Lines);
        Assert.Equal(wanted[^3..], (await history.RunAsync("history", "lb-1/ct_map", "--json", "--kind", "deleted,evicted", "--last", "3")).Lines);
    }

    private static Task<string> PlanAsync(RecordedHistory history, string sql) =>
        QueryPlan.OfAsync(history.Log.Store.Database, sql, [], "analyze; set enable_seqscan = off", Cancel);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
