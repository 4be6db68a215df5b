using System.Text.Json;
using Maplog.Events;
using Maplog.Log;
using Maplog.Servers;
using Maplog.Snapshots;
using Npgsql;
using Xunit;

namespace Maplog.Tests.Integration.Audit;

public sealed class PruneTests(TestPostgres postgres)
{
    [Fact]
    public async Task What_is_left_after_a_prune_is_whole_and_equals_the_model_everywhere()
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 31, sealEvery: 100);
        await history.Log.QueryAsync("select audit.index_keys('lb-1/ct_map')");
        var before = When(history.Times[2000]);
        var dry = await history.RunAsync("prune", "--before", before, "--dry-run");
        Assert.Contains("lb-1/ct_map: 1900 events would be deleted; the stream would begin at version 1901", dry.Output, StringComparison.Ordinal);
        Assert.Contains("lb-1/other: nothing to prune: ", dry.Output, StringComparison.Ordinal);
        Assert.Equal(1L, await history.Log.QueryAsync("select min(version) from maplog.mt_events where stream_id = 'lb-1/ct_map'"));

        var run = await history.RunAsync("prune", "lb-1/ct_map", "--before", before);
        Assert.Equal("", run.Error);
        Assert.StartsWith("lb-1/ct_map: 1900 events are deleted; the stream begins at version 1901", run.Output, StringComparison.Ordinal);
        Assert.Equal(1901L, await history.Log.QueryAsync("select min(version) from maplog.mt_events where stream_id = 'lb-1/ct_map'"));
        Assert.Equal(0L, await history.Log.QueryAsync("select count(*) from audit.key_index k join audit.indexed_streams i on i.number = k.stream where i.stream = 'lb-1/ct_map' and k.version < 1901"));

        var check = await history.RunAsync("verify-log", "lb-1/ct_map");
        Assert.Equal(0, check.Code);
        Assert.Contains("The history up to version 1900 is pruned", check.Output, StringComparison.Ordinal);
        var random = new Random(3);
        for (var i = 0; i < 100; i++)
        {
            var version = random.Next(1901, history.Model.Count);
            Assert.Equal(history.Model[version]!, await history.ReplayAsync("--version", $"{version}"));
            if (i % 10 == 0)
                Assert.Equal(history.Model[version]!, await history.QueryStateAsync(version));
        }
        // Old values are known from the snapshot on.
        var changes = await history.RunAsync("history", "lb-1/ct_map", "--json");
        Assert.Equal("", changes.Error);
        foreach (var change in changes.Lines.Select(l => JsonDocument.Parse(l).RootElement))
        {
            var old = history.Model[(int)change.GetProperty("version").GetInt64() - 1]!.GetValueOrDefault(change.GetProperty("key_bytes").GetString()!);
            Assert.Equal(old, change.TryGetProperty("old_value", out var told) && told.ValueKind == JsonValueKind.String ? told.GetString() : null);
        }
        Assert.Contains("ct_map", (await history.RunAsync("maps")).Output, StringComparison.Ordinal);
        Assert.Equal(history.Model[^1]!.Count, (await history.RunAsync("dump", "lb-1/ct_map")).Lines.Length - 1);
        Assert.Equal(changes.Lines.Length, (int)(long)(await history.Log.QueryAsync("select count(*) from audit.changes where source = 'lb-1' and stream = 'lb-1/ct_map' and node = 'node-a'"))!);

        // Again, and further.
        Assert.StartsWith("lb-1/ct_map: nothing to prune: it already begins at the last seal before ", (await history.RunAsync("prune", "lb-1/ct_map", "--before", before)).Output, StringComparison.Ordinal);
        Assert.StartsWith("lb-1/ct_map: 500 events are deleted", (await history.RunAsync("prune", "lb-1/ct_map", "--before", When(history.Times[2450]))).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await history.RunAsync("verify-log", "lb-1/ct_map")).Code);
        Assert.Equal(history.Model[2500]!, await history.ReplayAsync("--version", "2500"));
        Assert.Equal(1L, await history.Log.QueryAsync("select count(*) from maplog.snapshots"));
    }

    [Fact]
    public async Task That_there_is_nothing_to_prune_has_its_true_reason()
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 38);
        Assert.Contains("nothing to prune: none of its history before 2026-03-02", (await history.RunAsync("prune", "lb-1/ct_map", "--before", "2026-03-02T00:00Z", "--dry-run")).Output, StringComparison.Ordinal);
        Assert.Contains("nothing to prune: its history begins at 2026-03-01T12:00:00.000000Z, version 1, which is not before 2026-01-01", (await history.RunAsync("prune", "lb-1/ct_map", "--before", "2026-01-01T00:00Z", "--dry-run")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_replay_into_pruned_history_says_so()
    {
        await using var history = await PrunedAsync(seed: 32);
        var asked = new[] { new[] { "--version", "1500" }, ["--at", When(history.Times[900])], ["--before", "1501"] };
        foreach (var when in asked)
        {
            var run = await history.RunAsync(["replay", "lb-1/ct_map", .. when]);
            Assert.Contains("was pruned up to version 1900, so its content", run.Error, StringComparison.Ordinal);
            Assert.Equal(3, run.Code);
        }
        var sql = await Assert.ThrowsAsync<PostgresException>(() => history.Log.QueryAsync($"select count(*) from audit.state_at('lb-1/ct_map', '{history.Times[900]:O}')"));
        Assert.Contains("was pruned up to version 1900", sql.MessageText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_replica_and_one_that_was_away_are_built_from_the_snapshot()
    {
        HistoryReplica? away = null;
        try
        {
            await using var history = await RecordedHistory.MakeAsync(postgres, seed: 33, sealEvery: 100, committed: async recorded =>
            {
                if (away is not null)
                    return;
                away = new HistoryReplica(recorded);
                using var first = away.Start();
                await away.HoldsAsync(first, recorded.Model.Count - 1);
                await first.StopAsync();
            });
            await history.RunAsync("prune", "lb-1/ct_map", "--before", When(history.Times[2000]));
            using var fresh = new HistoryReplica(history);
            foreach (var replica in new[] { fresh, away! })
            {
                using var replicator = replica.Start();
                await replicator.WaitForAsync("begins with the snapshot at version 1901");
                Assert.Equal(history.Model[^1]!, await replica.HoldsAsync(replicator, history.Model.Count - 1));
                Assert.Equal(0, await replicator.StopAsync());
            }
        }
        finally
        {
            away?.Dispose();
        }
    }

    [Fact]
    public async Task Without_its_snapshot_nothing_is_deleted_and_what_is_gone_is_told()
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 34, sealEvery: 100);
        var pruner = new Pruner(history.Log.Store, TimeProvider.System);
        var plan = (await pruner.PlanAsync(RecordedHistory.Stream, history.Times[2000], Cancel))!;
        await pruner.RecordAsync(plan, history.Times[2000], Cancel);
        Assert.True(await pruner.IsUnfinishedAsync(RecordedHistory.Stream, Cancel));
        // The record opens the way for what it names, and for nothing else.
        await RefusedAsync("delete from maplog.mt_events where stream_id = 'lb-1/ct_map' and version = 1901", "append-only");
        await RefusedAsync("delete from maplog.mt_events where stream_id = 'lb-1/other' and version = 1", "append-only");
        await RefusedAsync("update maplog.mt_events set version = 1 where stream_id = 'lb-1/ct_map' and version = 1", "append-only");

        await history.Log.QueryAsync("create table kept as select * from maplog.snapshots; create table kept_chunks as select * from maplog.snapshot_chunks; delete from maplog.snapshots");
        await RefusedAsync("select maplog.prune_events('lb-1/ct_map')", "The snapshot that the prune record of lb-1/ct_map names is not there");
        await history.Log.QueryAsync("insert into maplog.snapshots select * from kept; insert into maplog.snapshot_chunks select * from kept_chunks");
        Assert.Equal(10L, await history.Log.QueryAsync("select maplog.prune_events('lb-1/ct_map', 10)"));
        Assert.Equal(history.Model[2500]!, await history.ReplayAsync("--version", "2500"));
        Assert.Equal(0, (await history.RunAsync("verify-log", "lb-1/ct_map")).Code);
        // What was begun is finished by the next.
        Assert.Equal(0, (await history.RunAsync("prune", "lb-1/ct_map", "--before", When(history.Times[2000]))).Code);
        Assert.Equal(1901L, await history.Log.QueryAsync("select min(version) from maplog.mt_events where stream_id = 'lb-1/ct_map'"));

        await history.Log.QueryAsync("update maplog.snapshot_chunks set data = set_byte(data, 3, 255)");
        var run = await history.RunAsync("replay", "lb-1/ct_map", "--version", "2500");
        Assert.Equal(0, (await history.RunAsync("replay", "lb-1/ct_map", "--version", "1901", "--json")).Output.Length);
        Assert.Equal(3, run.Code);
        Assert.Contains("is damaged", run.Error, StringComparison.Ordinal);
        var check = await history.RunAsync("verify-log", "lb-1/ct_map");
        Assert.Equal(1, check.Code);
        Assert.Contains("is damaged", check.Output, StringComparison.Ordinal);
        await history.Log.QueryAsync("delete from maplog.snapshots");
        Assert.Contains("is missing", (await history.RunAsync("verify-log", "lb-1/ct_map")).Output, StringComparison.Ordinal);

        async Task RefusedAsync(string sql, string why) =>
            Assert.Contains(why, (await Assert.ThrowsAsync<PostgresException>(() => history.Log.QueryAsync(sql))).MessageText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_admin_prunes_and_nobody_else()
    {
        await using var history = await RecordedHistory.MakeAsync(postgres, seed: 35, sealEvery: 100);
        foreach (var (role, code) in new[] { ("maplog_writer", 1), ("maplog_auditor", 1), ("maplog_admin", 0) })
        {
            var login = $"pruner_{Guid.NewGuid():N}";
            await history.Log.QueryAsync($"create role {login} login password 'secret' in role {role}");
            var connection = new NpgsqlConnectionStringBuilder(history.Log.Options.ConnectionString) { Username = login, Password = "secret" }.ConnectionString;
            var run = await Cli.CommandRun.OfAsync("prune", "lb-1/ct_map", "--before", When(history.Times[2000]), "--log", connection);
            Assert.True(run.Code == code, $"{role}: {run.Error}{run.Output}");
            if (code == 1)
                Assert.Contains("needs the role maplog_admin", run.Error, StringComparison.Ordinal);
            Assert.Equal(code == 0 ? 1901L : 1L, await history.Log.QueryAsync("select min(version) from maplog.mt_events where stream_id = 'lb-1/ct_map'"));
            if (code == 0)
                Assert.Equal(login, await history.Log.QueryAsync("select note->>'by' from maplog.notes where kind = 'pruned'"));
        }
    }

    [Fact]
    public async Task A_later_term_goes_on_after_a_prune()
    {
        await using var history = await PrunedAsync(seed: 36);
        var reader = history.Log.Reader;
        Assert.Equal(new Epoch(1), await reader.ReadLatestEpochAsync("lb-1", Cancel));
        Assert.Equal(7u, (await reader.ReadLatestAsync<EpochStarted>(RecordedHistory.Stream, Cancel))!.Note.RingId);
        Assert.Equal(2u, (await reader.ReadLatestAsync<MapOpened>(RecordedHistory.Stream, Cancel))!.Note.MapId);
        using var seals = await SealTail.ReadAsync(reader, await reader.ReadHeadAsync(RecordedHistory.Stream, Cancel), Cancel);
        Assert.Equal((await reader.ReadHeadAsync(RecordedHistory.Stream, Cancel)).Version, seals.Last);
    }

    private async Task<RecordedHistory> PrunedAsync(int seed)
    {
        var history = await RecordedHistory.MakeAsync(postgres, seed, sealEvery: 100);
        Assert.Equal(0, (await history.RunAsync("prune", "lb-1/ct_map", "--before", When(history.Times[2000]))).Code);
        return history;
    }

    private static string When(DateTimeOffset time) => $"{time:yyyy-MM-dd'T'HH:mm:ss.ffffffZ}";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
