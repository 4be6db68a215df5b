using Maplog.Events;
using Maplog.Log;
using Maplog.Servers;
using Npgsql;
using Xunit;

namespace Maplog.Tests.Integration.Log;

public sealed class CollisionTests(TestPostgres postgres) : IAsyncLifetime
{
    private const string TakeVersion11 =
        "insert into maplog.mt_events select (jsonb_populate_record(e, jsonb_build_object('version', 11, 'seq_id', 11, 'id', gen_random_uuid()))).* from maplog.mt_events e where version = 10";

    private LogDatabase _log = null!;

    public async ValueTask InitializeAsync() => _log = await LogDatabase.MigratedAsync(postgres);

    public ValueTask DisposeAsync() => _log.DisposeAsync();

    [Fact]
    public async Task A_batch_sent_twice_is_recognised_and_leaves_nothing()
    {
        var stream = Made.Stream("lb-1/ct_map");
        var writer = await LogWriter.OpenAsync(_log.Store, "lb-1", Cancel);
        using var batch = Made.Changes(stream, 1, 100);
        await writer.AppendAsync(batch, Cancel);

        var taken = await Assert.ThrowsAsync<VersionTakenException>(() => writer.AppendAsync(batch, Cancel));

        Assert.Equal((stream.Name, new StreamVersion(1), new StreamVersion(100)), (taken.Stream, taken.Version, taken.Head));
        Assert.Equal(100L, await _log.QueryAsync("select count(*) from maplog.mt_events"));

        // And the writer goes on where the log ends.
        using var next = Made.Changes(stream, 101, 5);
        await writer.AppendAsync(next, Cancel);
        Assert.Equal(105, (await _log.ReadAsync(stream.Name)).Count);
    }

    [Fact]
    public async Task A_writer_that_hangs_in_the_middle_of_a_commit_does_not_hold_up_the_next()
    {
        var stream = Made.Stream("lb-1/ct_map");
        using (var first = Made.Changes(stream, 1, 10))
            await (await LogWriter.OpenAsync(_log.Store, "lb-1", Cancel)).AppendAsync(first, Cancel);
        // Its session, with the next version written and not committed.
        await using var hung = _log.Store.Marten.LightweightSession("lb-1");
        await hung.BeginTransactionAsync(Cancel);
        await using (var insert = new NpgsqlCommand(TakeVersion11))
            await hung.ExecuteAsync(insert, Cancel);

        await using var elsewhere = new LogStore(_log.Options);
        var next = await LogWriter.OpenAsync(elsewhere, "lb-1", Cancel);
        using var batch = Made.Changes(stream, 11, 5);
        await next.AppendAsync(batch, Cancel);
        Assert.Equal(15, (await _log.ReadAsync(stream.Name)).Count);
    }

    [Fact]
    public async Task A_commit_that_is_given_up_in_its_middle_is_no_failure()
    {
        var stream = Made.Stream("lb-1/ct_map");
        var writer = await LogWriter.OpenAsync(_log.Store, "lb-1", Cancel);
        using (var first = Made.Changes(stream, 1, 10))
            await writer.AppendAsync(first, Cancel);
        // Who has the next version has not said yet whether to keep it: then all rows are sent, and the server does not answer.
        await using var other = await _log.Store.Database.OpenConnectionAsync(Cancel);
        await using var transaction = await other.BeginTransactionAsync(Cancel);
        await using (var insert = new NpgsqlCommand(TakeVersion11, other, transaction))
            await insert.ExecuteNonQueryAsync(Cancel);

        using var batch = Made.Changes(stream, 11, 5);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var append = writer.AppendAsync(batch, patience.Token);
        while (await _log.QueryAsync("select exists (select from pg_stat_activity where wait_event_type = 'Lock' and query like 'COPY maplog.mt_events%')") is not true)
            await Task.Delay(5, Cancel);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => append);

        await transaction.RollbackAsync(Cancel);
        await writer.AppendAsync(batch, Cancel);
        Assert.Equal(15, (await _log.ReadAsync(stream.Name)).Count);
    }

    [Fact]
    public async Task A_commit_that_takes_longer_than_a_command_may_is_given_more_time_at_each_try()
    {
        const int changes = 300_000;
        await using var slow = new LogStore(new LogOptions { ConnectionString = _log.Options.ConnectionString, CommandTimeout = TimeSpan.FromSeconds(1) });
        var stream = Made.Stream("lb-1/ct_map");
        var writer = await LogWriter.OpenAsync(slow, "lb-1", Cancel);
        using var batch = Made.Changes(stream, 1, changes);
        for (var tries = 1; ; tries++)
        {
            try
            {
                await writer.AppendAsync(batch, Cancel);
                break;
            }
            catch (LogException e) when (e.IsTransient && tries < 6)
            {
            }
        }
        Assert.Equal((long)changes, (await _log.Reader.ReadHeadAsync(stream.Name, Cancel)).Version.Value);
    }

    [Fact]
    public async Task Two_streams_of_a_batch_are_committed_together_or_not_at_all()
    {
        var a = Made.Stream("lb-1/a");
        var b = Made.Stream("lb-1/b");
        var writer = await LogWriter.OpenAsync(_log.Store, "lb-1", Cancel);
        using (var first = Made.Changes(b, 1, 3))
            await writer.AppendAsync(first, Cancel);

        using var batch = new EventBatch();
        Made.Add(batch, a, 1, 1000);
        Made.Add(batch, b, 3, 1);
        var taken = await Assert.ThrowsAsync<VersionTakenException>(() => writer.AppendAsync(batch, Cancel));
        Assert.Equal(b.Name, taken.Stream);
        Assert.Empty(await _log.ReadAsync(a.Name));
        Assert.Equal(["lb-1/b"], (await _log.Reader.ListStreamsAsync(cancellation: Cancel)).Select(s => s.Stream.ToString()));

        batch.Clear();
        Made.Add(batch, a, 1, 1000);
        Made.Add(batch, b, 4, 1);
        await writer.AppendAsync(batch, Cancel);
        Assert.Equal(1000, (await _log.ReadAsync(a.Name)).Count);
        Assert.Equal(4, (await _log.ReadAsync(b.Name)).Count);
    }

    [Fact]
    public async Task Of_two_writers_of_a_source_one_is_told()
    {
        var stream = Made.Stream("lb-1/ct_map");
        var other = Made.Stream("lb-1/other");
        var old = await LogWriter.OpenAsync(_log.Store, "lb-1", Cancel);
        using (var batch = Made.Changes(stream, 1, 10))
            await old.AppendAsync(batch, Cancel);
        await using var elsewhere = new LogStore(_log.Options);
        var young = await LogWriter.OpenAsync(elsewhere, "lb-1", Cancel);
        using (var batch = Made.Changes(stream, 11, 10, salt: 1))
            await young.AppendAsync(batch, Cancel);

        // The same version.
        using (var batch = Made.Changes(stream, 11, 1))
        {
            var taken = await Assert.ThrowsAsync<VersionTakenException>(() => old.AppendAsync(batch, Cancel));
            Assert.Equal(new StreamVersion(20), taken.Head);
        }

        // Another stream: their numbers in the source collide.
        using (var batch = Made.Changes(stream, 21, 1))
            await young.AppendAsync(batch, Cancel);
        using (var batch = Made.Changes(other, 1, 1))
        {
            var taken = await Assert.ThrowsAsync<VersionTakenException>(() => old.AppendAsync(batch, Cancel));
            Assert.True(taken.Head < taken.Version);
            Assert.Contains("another writer", taken.Message, StringComparison.Ordinal);
        }
        Assert.Equal(21L, await _log.QueryAsync("select count(*) from maplog.mt_events"));
    }

    [Fact]
    public async Task Sources_do_not_collide()
    {
        await Task.WhenAll(Enumerable.Range(1, 2).Select(async n =>
        {
            var stream = Made.Stream($"lb-{n}/ct_map");
            var writer = await LogWriter.OpenAsync(_log.Store, $"lb-{n}", Cancel);
            for (var first = 1; first <= 5_000; first += 500)
            {
                using var batch = Made.Changes(stream, first, 500);
                await writer.AppendAsync(batch, Cancel);
            }
        }));
        Assert.Equal(5_000, (await _log.ReadAsync(new StreamName("lb-1", "ct_map"))).Count);
        Assert.Equal(5_000, (await _log.ReadAsync(new StreamName("lb-2", "ct_map"))).Count);
    }

    [Fact]
    public async Task A_hole_is_refused_before_it_reaches_the_log()
    {
        var stream = Made.Stream("lb-1/ct_map");
        var writer = await LogWriter.OpenAsync(_log.Store, "lb-1", Cancel);
        using var batch = Made.Changes(stream, 2, 1);
        await Assert.ThrowsAsync<ArgumentException>(() => writer.AppendAsync(batch, Cancel));

        batch.Clear();
        batch.AddChange(stream, new StreamVersion(1), Made.Time, EventKind.EntryDeleted, Made.Payload([1], []));
        Assert.Throws<ArgumentException>(() => batch.AddChange(stream, new StreamVersion(3), Made.Time, EventKind.EntryDeleted, Made.Payload([1], [])));
        Assert.Throws<ArgumentException>(() => batch.AddChange(Made.Stream("lb-2/ct_map"), new StreamVersion(1), Made.Time, EventKind.EntryDeleted, Made.Payload([1], [])));
        await writer.AppendAsync(batch, Cancel);
        Assert.Single(await _log.ReadAsync(stream.Name));
    }

    [Fact]
    public async Task A_connection_that_breaks_is_transient_and_the_same_batch_can_be_sent_again()
    {
        var stream = Made.Stream("lb-1/ct_map");
        var writer = await LogWriter.OpenAsync(_log.Store, "lb-1", Cancel);
        using var batch = Made.Changes(stream, 1, 10);

        // Another session holds what the append needs, so it can be broken in its middle.
        await using (var blocker = await _log.Store.Database.OpenConnectionAsync(Cancel))
        {
            await using var transaction = await blocker.BeginTransactionAsync(Cancel);
            await using (var command = new NpgsqlCommand("lock table maplog.mt_events in share mode", blocker, transaction))
                await command.ExecuteNonQueryAsync(Cancel);
            var append = writer.AppendAsync(batch, Cancel);
            while (await _log.QueryAsync("select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock' and query like 'COPY maplog.mt_events%'") is not true)
                await Task.Delay(5, Cancel);
            var broken = await Assert.ThrowsAsync<LogException>(() => append);
            Assert.True(broken.IsTransient, broken.Message);
        }

        await writer.AppendAsync(batch, Cancel);
        Assert.Equal(10, (await _log.ReadAsync(stream.Name)).Count);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
