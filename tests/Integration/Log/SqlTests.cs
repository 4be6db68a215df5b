using Maplog.Events;
using Maplog.Log;
using Maplog.Servers;
using Npgsql;
using Xunit;

namespace Maplog.Tests.Integration.Log;

public sealed class SqlTests(TestPostgres postgres) : IAsyncLifetime
{
    private LogDatabase _log = null!;

    public async ValueTask InitializeAsync()
    {
        _log = await LogDatabase.MigratedAsync(postgres);
        var stream = Made.Stream("lb-1/ct_map");
        using var batch = new EventBatch();
        batch.AddNote(stream, new StreamVersion(1), Made.Time, Made.Opened(epoch: 7));
        batch.AddChange(stream, new StreamVersion(2), Made.Time.AddSeconds(1), EventKind.EntryAdded, Made.Payload([0xca, 0xfe], [1, 2, 3], position: 4096, epoch: 7));
        batch.AddChange(stream, new StreamVersion(3), Made.Time.AddSeconds(2), EventKind.EntryDeleted, Made.Payload([0xca, 0xfe], [], position: -1, epoch: 7, origin: Origin.ReadBack, comm: "tc\n\\"));
        batch.AddChange(stream, new StreamVersion(4), Made.Time.AddSeconds(3), EventKind.EntryUpdated, Made.Payload([], [], position: long.MaxValue, comm: "", origin: Origin.Eviction));
        await (await LogWriter.OpenAsync(_log.Store, "lb-1")).AppendAsync(batch);
    }

    public ValueTask DisposeAsync() => _log.DisposeAsync();

    [Fact]
    public async Task The_changes_view_shows_what_was_written()
    {
        await using var command = _log.Store.Database.CreateCommand("select * from maplog.changes order by version");
        await using var rows = await command.ExecuteReaderAsync(Cancel);

        Assert.Equal(new object?[]
        {
            "lb-1", "lb-1/ct_map", 2L, Made.Time.AddSeconds(1).UtcDateTime, "added", new byte[] { 0xca, 0xfe }, new byte[] { 1, 2, 3 },
            "program", "bpftool", 4711L, 3, 7, 1_000_000_000_000L, 4096L, 2L,
        }, await NextAsync(rows));
        var deleted = await NextAsync(rows);
        Assert.Equal(("deleted", null, "read-back", "tc\n\\\\", -1L), (deleted[4], deleted[6], deleted[7], deleted[8], deleted[13]));
        var last = await NextAsync(rows);
        Assert.Equal([Array.Empty<byte>(), Array.Empty<byte>(), "eviction", "", long.MaxValue], [last[5], last[6], last[7], last[8], last[13]]);
        Assert.False(await rows.ReadAsync(Cancel));
    }

    [Fact]
    public async Task Who_changed_a_key_is_plain_SQL()
    {
        Assert.Equal("added by bpftool, deleted by tc\n\\\\", await _log.QueryAsync(
            "select string_agg(kind || ' by ' || comm, ', ' order by version) from maplog.changes_of('lb-1/ct_map') where key = '\\xcafe'"));
        Assert.Equal("ct_map", await _log.QueryAsync("select note->>'name' from maplog.notes where kind = 'map_opened'"));
        Assert.Equal(1024, await _log.QueryAsync("select (note->'shape'->>'maxEntries')::int from maplog.notes where kind = 'map_opened'"));
    }

    [Fact]
    public async Task The_changes_of_a_stream_are_found_by_its_index()
    {
        await using var connection = await _log.Store.Database.OpenConnectionAsync(Cancel);
        await using (var off = new NpgsqlCommand("set enable_seqscan = off", connection))
            await off.ExecuteNonQueryAsync(Cancel);
        await using var explain = new NpgsqlCommand("explain select * from maplog.changes_of('lb-1/ct_map') order by version desc limit 3", connection);
        await using var reader = await explain.ExecuteReaderAsync(Cancel);
        var plan = new List<string>();
        while (await reader.ReadAsync(Cancel))
            plan.Add(reader.GetString(0));
        // Inlined, one partition, walked backwards: no sort, no function scan.
        Assert.Contains(plan, l => l.Contains("Index Scan Backward using mt_events_lb_1", StringComparison.Ordinal));
        Assert.DoesNotContain(plan, l => l.Contains("lb_2", StringComparison.Ordinal) || l.Contains("Sort", StringComparison.Ordinal) || l.Contains("Function", StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_is_a_Marten_log()
    {
        await using var session = _log.Store.Marten.QuerySession("lb-1");
        var events = await session.Events.FetchStreamAsync("lb-1/ct_map", token: Cancel);

        Assert.Equal([typeof(MapOpened), typeof(EntryAdded), typeof(EntryDeleted), typeof(EntryUpdated)], events.Select(e => e.EventType));
        Assert.Equal([1L, 2, 3, 4], events.Select(e => e.Version));
        Assert.Equal([1L, 2, 3, 4], events.Select(e => e.Sequence));
        Assert.Equal(Made.Time.AddSeconds(1), events[1].Timestamp);
        Assert.Equal(["map_opened", "entry_added", "entry_deleted", "entry_updated"], events.Select(e => e.EventTypeName));
        Assert.Equal(4, events.Select(e => e.Id).Distinct().Count());
        Assert.Equivalent(Made.Opened(epoch: 7), events[0].Data, strict: true);
        Assert.Equal(Made.Payload([0xca, 0xfe], [1, 2, 3], position: 4096, epoch: 7), ((EntryAdded)events[1].Data).Payload.ToArray());
    }

    private static async Task<object?[]> NextAsync(NpgsqlDataReader rows)
    {
        Assert.True(await rows.ReadAsync(Cancel));
        var values = new object[rows.FieldCount];
        rows.GetValues(values);
        return [.. values.Select(v => v is DBNull ? null : v)];
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
