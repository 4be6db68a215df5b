using Maplog.Events;
using Maplog.Folding;
using Maplog.Kernel;
using Maplog.Servers;
using Maplog.Tests.Recorded;
using Npgsql;

namespace Maplog.Tests.Kernel.Capturing;

/// <summary>A log that does not answer as it should, at the worst moment.</summary>
public sealed class TroubledLogTests(TestPostgres postgres)
{
    private const int RingBytes = 16 << 20;
    private const string EndOthers = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";

    [Fact(Timeout = 300_000)]
    public async Task A_writer_that_hangs_in_the_middle_of_a_copy_does_not_hold_up_its_successor()
    {
        using var map = BusyMap.Create("maplog_hung");
        await using var capture = await CaptureProcess.StartAsync(postgres, RingBytes, null, map.Info.Name);
        await LogSomeAsync(capture, map);
        // What the daemon will write next, half sent by somebody who then falls silent: Postgres keeps a thousand rows back.
        await using var hung = new NpgsqlConnection(capture.Connection);
        await hung.OpenAsync(Cancel);
        var rows = await RowsAsync(capture.Connection, $"{CaptureProcess.Source}/{map.Info.Name}", 1_003, 3_000);
        var copy = await hung.BeginTextImportAsync("COPY maplog.mt_events FROM STDIN", Cancel);
        await copy.WriteAsync(rows.AsMemory(), Cancel);
        await copy.FlushAsync(Cancel);

        BusyMap.Change(map, 1_000, seed: 2);
        await capture.SaysAsync("blocked the commit of this daemon");
        await HasAllAsync(capture, map, changes: 2_000, terms: 1);
        await Assert.ThrowsAnyAsync<Exception>(async () => await copy.DisposeAsync());
    }

    [Fact(Timeout = 300_000)]
    public async Task A_log_whose_connections_break_while_a_term_begins_is_waited_for()
    {
        using var map = BusyMap.Create("maplog_began");
        await using var capture = await CaptureProcess.StartStayingAsync(postgres, RingBytes, map.Info.Name);
        await LogSomeAsync(capture, map);
        using var enough = new CancellationTokenSource();
        var breaking = Task.CompletedTask;
        await capture.ReplaceAsync(() => breaking = Task.Run(() => BreakAsync(capture.Connection, enough.Token)));
        await enough.CancelAsync();
        await breaking;
        capture.Store.Database.Clear();
        BusyMap.Change(map, 1_000, seed: 2);
        await HasAllAsync(capture, map, changes: 2_000, terms: 2);
    }

    [Fact(Timeout = 300_000)]
    public async Task Commits_that_the_server_has_lost_are_a_gap_and_the_log_goes_on_with_what_the_map_holds()
    {
        using var map = BusyMap.Create("maplog_behind");
        await using var capture = await CaptureProcess.StartStayingAsync(postgres, RingBytes, map.Info.Name);
        await LogSomeAsync(capture, map);
        await LoseAsync(capture.Connection, $"{CaptureProcess.Source}/{map.Info.Name}", 300);

        BusyMap.Change(map, 1_000, seed: 2);
        await capture.SaysAsync("has lost 300 events");
        capture.Store.Database.Clear();
        StreamFold fold;
        int gaps;
        string? difference;
        do
        {
            await Task.Delay(100, Cancel);
            (fold, _, gaps) = await capture.FoldAsync(map.Info.Name);
            difference = BusyMap.Difference(map, fold);
        }
        while (difference is not null);
        await capture.StopAsync();
        Assert.Equal(1, gaps);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_log_that_was_restored_from_an_older_dump_is_told_as_a_gap_with_its_count_in_each_stream_that_it_concerns()
    {
        using BpfMap older = BusyMap.Create("maplog_cut"), whole = BusyMap.Create("maplog_whole"), young = BusyMap.Create("maplog_young");
        string[] names = [older.Info.Name, whole.Info.Name, young.Info.Name];
        await using var capture = await CaptureProcess.StartStayingAsync(postgres, RingBytes, names);
        foreach (var map in new[] { older, whole, young })
            await LogSomeAsync(capture, map);

        await capture.StopAsync();
        await capture.ReplaceAfterAsync(async () =>
        {
            await LoseAsync(capture.Connection, StreamOf(older), 600);
            await LoseAsync(capture.Connection, StreamOf(young), int.MaxValue);
        });
        await capture.SaysAsync("the log was restored from an older backup");
        capture.Store.Database.Clear();
        await capture.LoggedGapAsync(older.Info.Name, "failover");
        await capture.LoggedGapAsync(young.Info.Name, "failover");
        foreach (var map in new[] { older, whole, young })
        {
            BusyMap.Change(map, 500, seed: 2);
            while (BusyMap.Difference(map, (await capture.FoldAsync(map.Info.Name)).Fold) is not null)
                await Task.Delay(100, Cancel);
        }
        await capture.StopAsync();
        Assert.Equal(600, await OnlyGapAsync(capture, older.Info.Name));
        // Three notes, a thousand changes, and the seal of an orderly end or of a minute, if there was one.
        Assert.InRange((await OnlyGapAsync(capture, young.Info.Name))!.Value, 1_003, 1_005);
        Assert.Null(await OnlyGapAsync(capture, whole.Info.Name));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_log_that_lacks_nothing_after_a_restart_tells_of_no_gap()
    {
        using var map = BusyMap.Create("maplog_entire");
        await using var capture = await CaptureProcess.StartStayingAsync(postgres, RingBytes, map.Info.Name);
        await LogSomeAsync(capture, map);
        await capture.ReplaceAsync(() => { });
        await capture.StopAsync();
        Assert.Null(await OnlyGapAsync(capture, map.Info.Name));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_daemon_that_is_ended_while_its_term_begins_says_what_it_leaves_and_the_next_one_has_all_of_it()
    {
        using var map = BusyMap.Create("maplog_early");
        await using var capture = await CaptureProcess.StartStayingAsync(postgres, RingBytes, map.Info.Name);
        await LogSomeAsync(capture, map);
        await Command.RunAsync("/", Path.Combine(Repository.Bin, "maplog"), "snapshot", $"{CaptureProcess.Source}/{map.Info.Name}", "--log", capture.Connection);
        // What the next term reads to know the map, held back from it.
        await using var holder = new NpgsqlConnection(capture.Connection);
        await holder.OpenAsync(Cancel);
        await using (var transaction = await holder.BeginTransactionAsync(Cancel))
        {
            await using var hold = new NpgsqlCommand("lock table maplog.snapshot_chunks", holder, transaction);
            await hold.ExecuteNonQueryAsync(Cancel);
            await capture.ReplaceAsync(() => BusyMap.Change(map, 1_000, seed: 2));
            await capture.StopAsync();
            Assert.Matches("Stopped[.] Events committed in this run: 0[.] Bytes left in the ring: [1-9]", capture.Said);
        }
        await capture.ReplaceAsync(() => { });
        await HasAllAsync(capture, map, changes: 2_000, terms: 2);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_log_whose_disk_is_full_is_waited_for_also_by_sessions_that_begin_meanwhile()
    {
        await using var server = new PrivatePostgres(room: 1L << 30);
        await server.StartAsync();
        using var map = BusyMap.Create("maplog_full");
        await using var capture = await CaptureProcess.StartAsync(server.ConnectionString, RingBytes, map.Info.Name);
        await LogSomeAsync(capture, map);

        await using var admin = new NpgsqlConnection(server.ConnectionString);
        await admin.OpenAsync(Cancel);
        // As after a restart of the server: the first session writes down what later ones read.
        foreach (var file in Directory.GetFiles(server.FolderPath, "pg_internal.init", SearchOption.AllDirectories))
            File.Delete(file);
        await server.LeaveNoRoomAsync();
        BusyMap.Change(map, 20_000, seed: 2);
        await capture.SaysAsync("make room on the server's disk");
        await using var end = new NpgsqlCommand(EndOthers, admin);
        await end.ExecuteNonQueryAsync(Cancel);
        await capture.SaysAsync("ended the session because of an internal error");

        await server.GiveRoomAsync();
        capture.Store.Database.Clear();
        await HasAllAsync(capture, map, changes: 21_000, terms: 1);
    }

    // A thousand changes, after three notes.
    private static async Task LogSomeAsync(CaptureProcess capture, BpfMap map)
    {
        await capture.WatchesAsync(map.Info.Name);
        BusyMap.Change(map, 1_000);
        await capture.LoggedAsync(map.Info.Name, 1_003);
    }

    // Each change once and no gap; each term after the first begins with one more note.
    private static async Task HasAllAsync(CaptureProcess capture, BpfMap map, int changes, int terms)
    {
        await capture.LoggedAsync(map.Info.Name, changes + 2 + terms);
        await capture.StopAsync();
        var (fold, logged, gaps) = await capture.FoldAsync(map.Info.Name);
        Assert.Null(BusyMap.Difference(map, fold));
        Assert.Equal((changes, 0), (logged, gaps));
    }

    private static string StreamOf(BpfMap map) => $"{CaptureProcess.Source}/{map.Info.Name}";

    // The count of the one gap that a stream tells of; null: it tells of none.
    private static async Task<long?> OnlyGapAsync(CaptureProcess capture, string map)
    {
        var gaps = new List<GapFound>();
        await foreach (var page in capture.Log.ReadAsync(new StreamName(CaptureProcess.Source, map), cancellation: Cancel))
        {
            foreach (var logged in page)
            {
                if (logged.Kind == EventKind.GapFound && NoteCodec.Read<GapFound>(logged.Data.Span) is { Reason: not "late-attach" } gap)
                    gaps.Add(gap);
            }
        }
        Assert.True(gaps.Count < 2, string.Join('\n', gaps));
        return gaps.SingleOrDefault()?.Count;
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    // Every session but its own, whatever it is at; less and less often, so that some come as far as into the term.
    private static async Task BreakAsync(string log, CancellationToken enough)
    {
        await using var admin = new NpgsqlConnection($"{log};Pooling=false");
        await admin.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand(EndOthers, admin);
        for (var pause = TimeSpan.FromMilliseconds(20); !enough.IsCancellationRequested; pause *= 1.05)
        {
            await command.ExecuteNonQueryAsync(Cancel);
            await Task.Delay(pause, Cancel);
        }
    }

    // As after a failover to a server that had not got the last of the stream: it is gone, and so are the connections.
    private static async Task LoseAsync(string log, string stream, int events)
    {
        await using var server = new NpgsqlConnection($"{log};Pooling=false");
        await server.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand(
            $"""
            set session_replication_role = replica;
            delete from maplog.mt_events where stream_id = '{stream}'
                and version > (select max(version) - {events}::bigint from maplog.mt_events where stream_id = '{stream}');
            {EndOthers}
            """, server);
        await command.ExecuteNonQueryAsync(Cancel);
    }

    // The rows of the versions after the head, as COPY has them.
    private static async Task<string> RowsAsync(string log, string stream, long head, int count)
    {
        await using var connection = new NpgsqlConnection(log);
        await connection.OpenAsync(Cancel);
        using var rows = await connection.BeginTextExportAsync(
            $"""
            copy (select (jsonb_populate_record(e, jsonb_build_object('version', e.version + n, 'seq_id', e.seq_id + n, 'id', gen_random_uuid()))).*
                from maplog.mt_events e, generate_series(1, {count}) n where e.stream_id = '{stream}' and e.version = {head} order by n) to stdout
            """, Cancel);
        return await rows.ReadToEndAsync(Cancel);
    }
}
