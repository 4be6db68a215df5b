using Maplog.Events;
using Maplog.Log;
using Maplog.Servers;
using Npgsql;
using Xunit;

namespace Maplog.Tests.Integration.Log;

/// <summary>Who may write a source, as Postgres knows it.</summary>
public sealed class WriterLeaseTests(TestPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_daemon_of_one_node_has_the_lease_and_each_has_an_epoch_of_its_own()
    {
        await using var log = await LogDatabase.MigratedAsync(postgres);
        var lease = new WriterLease(log.Store, "lb-1");
        Assert.Equal(new Epoch(8), await lease.TryTakeAsync("a", "a1", null, new Epoch(7), Cancel));
        Assert.Null(await lease.TryTakeAsync("a", "a2", null, new Epoch(7), Cancel));
        Assert.Null(await lease.TryTakeAsync("b", "b1", null, new Epoch(7), Cancel));
        // Known to be dead, given back, run out: each time the next has it.
        Assert.Equal(new Epoch(9), await lease.TryTakeAsync("a", "a2", "a1", new Epoch(7), Cancel));
        Assert.Null(await lease.RenewAsync("a1", [], Cancel));
        await lease.ReleaseAsync("a2", cancellation: Cancel);
        Assert.Equal(new Epoch(10), await lease.TryTakeAsync("a", "a3", null, new Epoch(7), Cancel));
        await log.QueryAsync("update maplog.writers set until = clock_timestamp()");
        Assert.False((await lease.ReadAsync(Cancel))!.IsHeld);
        Assert.Equal(new Epoch(21), await lease.TryTakeAsync("a", "a4", null, new Epoch(20), Cancel));
        // Nobody but a promotion gives it to another node.
        await log.QueryAsync("update maplog.writers set until = clock_timestamp()");
        Assert.Null(await lease.TryTakeAsync("b", "b1", null, new Epoch(21), Cancel));
        // A lease that ran out and that nobody took is still one's own.
        Assert.True((await lease.RenewAsync("a4", [], Cancel))!.IsHeld);
    }

    [Fact]
    public async Task A_promotion_goes_through_when_the_writer_has_given_way()
    {
        await using var log = await LogDatabase.MigratedAsync(postgres);
        var lease = new WriterLease(log.Store, "lb-1");
        await lease.TryTakeAsync("a", "a1", null, default, Cancel);
        Assert.True(await lease.RequestAsync("b", Cancel));
        Assert.False(await lease.RequestAsync("c", Cancel));
        Assert.Equal("b", (await lease.RenewAsync("a1", [], Cancel))!.Successor);
        Assert.Null(await lease.TrySucceedAsync("b", "b1", default, Cancel));
        await lease.ReleaseAsync("a1", cancellation: Cancel);
        // The old node does not snatch it back meanwhile.
        Assert.Null(await lease.TryTakeAsync("a", "a2", null, default, Cancel));
        Assert.Null(await lease.TrySucceedAsync("c", "c1", default, Cancel));
        Assert.Equal(new Epoch(2), await lease.TrySucceedAsync("b", "b1", default, Cancel));
        Assert.Equal(("b", null), ((await lease.ReadAsync(Cancel))!.Node, (await lease.ReadAsync(Cancel))!.Successor));
        Assert.Null(await lease.RenewAsync("a1", [], Cancel));
    }

    [Fact]
    public async Task A_request_that_is_withdrawn_leaves_the_source_where_it_was()
    {
        await using var log = await LogDatabase.MigratedAsync(postgres);
        var lease = new WriterLease(log.Store, "lb-1");
        await lease.TryTakeAsync("a", "a1", null, default, Cancel);
        await lease.RequestAsync("b", Cancel);
        await lease.ReleaseAsync("a1", cancellation: Cancel);
        await lease.WithdrawAsync("b", Cancel);
        Assert.Null(await lease.TrySucceedAsync("b", "b1", default, Cancel));
        Assert.NotNull(await lease.TryTakeAsync("a", "a2", null, default, Cancel));
    }

    [Fact]
    public async Task A_standby_writer_is_there_as_long_as_it_tells_of_itself()
    {
        await using var log = await LogDatabase.MigratedAsync(postgres);
        var lease = new WriterLease(log.Store, "lb-1");
        Assert.Null(await lease.ReadStandbyAsync("b", Cancel));
        await lease.TellAsync("b", "b1", null, "Nothing is there.", Cancel);
        await lease.TellAsync("b", "b1", 12, null, Cancel);
        var row = await lease.ReadStandbyAsync("b", Cancel);
        Assert.Equal((true, 12L, null), (row!.IsThere, row.Behind, row.Problem));
        await log.QueryAsync("update maplog.standby_writers set seen = seen - interval '1 minute'");
        Assert.False((await lease.ReadStandbyAsync("b", Cancel))!.IsThere);
        await lease.LeaveAsync("b", "another", Cancel);
        Assert.NotNull(await lease.ReadStandbyAsync("b", Cancel));
        await lease.LeaveAsync("b", "b1", Cancel);
        Assert.Null(await lease.ReadStandbyAsync("b", Cancel));
    }

    [Fact]
    public async Task The_role_of_a_writer_has_what_the_lease_takes_and_a_reader_has_not()
    {
        await using var log = await LogDatabase.MigratedAsync(postgres);
        await log.QueryAsync("set role maplog_writer; insert into maplog.writers values ('lb-1', 'a', 1, 'a1', now(), now()); update maplog.writers set node = 'b'; insert into maplog.standby_writers values ('lb-1', 'a', 'a1', 0, null, now()); delete from maplog.standby_writers; reset role");
        await Assert.ThrowsAsync<PostgresException>(() => log.QueryAsync("set role maplog_reader; update maplog.writers set node = 'c'"));
        await Assert.ThrowsAsync<PostgresException>(() => log.QueryAsync("set role maplog_writer; insert into maplog.grants values ('maplog_writer', 'delete on maplog.mt_events')"));
    }
}
