using Maplog.Servers;
using Npgsql;

namespace Maplog.Tests.Kernel.Waiting;

/// <summary>Daemons end only for what waiting cannot mend: servers that are away or refuse are waited for, at the start and later, and the reason is told.</summary>
public sealed class WaitingTests
{
    [Fact(Timeout = 180_000)]
    public async Task Daemons_wait_when_no_host_of_several_answers()
    {
        await using var postgres = new PrivatePostgres();
        await postgres.StartAsync();
        await WaitingDaemons.MigrateAsync(postgres.ConnectionString);
        await postgres.StopAsync();
        using var daemons = new WaitingDaemons("maplog_hosts");
        var several = new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Host = $"127.0.0.1:1,127.0.0.1:{postgres.Port}" }.ConnectionString;
        daemons.Set(several);
        daemons.Start();
        await daemons.BothSayAsync("Waiting for the log");
        await Task.Delay(3_000, Cancel);
        daemons.MustRun();

        await postgres.StartAsync();
        daemons.Change(2_000);
        await daemons.AreEqualAsync();
        await postgres.KillAsync();
        daemons.Change(2_000);
        await daemons.Capture.SaysAsync("The log is not available");
        await Task.Delay(3_000, Cancel);
        await postgres.StartAsync();
        await daemons.AreEqualAsync();
        await daemons.StopAsync();
        Assert.Equal(0, await WaitingDaemons.GapsAsync(postgres.ConnectionString));
    }

    [Fact(Timeout = 180_000)]
    public async Task Daemons_wait_for_a_server_behind_a_pooler_at_the_start_and_later()
    {
        await using var postgres = new PrivatePostgres();
        await postgres.StartAsync();
        await WaitingDaemons.MigrateAsync(postgres.ConnectionString);
        await using var pooler = new PrivatePgBouncer(postgres);
        await pooler.StartAsync();
        await using var admin = new NpgsqlConnection($"{postgres.ConnectionString};Pooling=false");
        await admin.OpenAsync(Cancel);
        await ExecuteAsync(admin, "alter role maplog nologin");
        using var daemons = new WaitingDaemons("maplog_pooled");
        daemons.Set(pooler.Before(postgres.ConnectionString));
        daemons.Start();
        await daemons.BothSayAsync("The pooler before");
        daemons.MustRun();

        await ExecuteAsync(admin, "alter role maplog login");
        daemons.Change(2_000);
        await daemons.AreEqualAsync();
        await postgres.KillAsync();
        daemons.Change(2_000);
        await daemons.Capture.SaysAsync("The log is not available");
        await Task.Delay(3_000, Cancel);
        await postgres.StartAsync();
        await daemons.AreEqualAsync();
        await pooler.KillAsync();
        daemons.Change(2_000);
        await pooler.StartAsync();
        await daemons.AreEqualAsync();
        await daemons.StopAsync();
        Assert.Equal(0, await WaitingDaemons.GapsAsync(postgres.ConnectionString));
    }

    [Fact(Timeout = 180_000)]
    public async Task A_password_that_was_changed_is_waited_for_and_read_again()
    {
        await using var postgres = new PrivatePostgres();
        await postgres.StartAsync();
        await WaitingDaemons.MigrateAsync(postgres.ConnectionString);
        using var daemons = new WaitingDaemons("maplog_rotated");
        // At the start the server has the new one already.
        daemons.Set(With("not yet"));
        daemons.Start();
        await daemons.BothSayAsync("refused the login");
        daemons.Set(postgres.ConnectionString);
        daemons.Change(2_000);
        await daemons.AreEqualAsync();

        await using var admin = new NpgsqlConnection($"{postgres.ConnectionString};Pooling=false");
        await admin.OpenAsync(Cancel);
        await ExecuteAsync(admin, "alter role maplog password 'rotated'");
        await ExecuteAsync(admin, "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()");
        daemons.Change(2_000);
        await daemons.Capture.SaysAsync("The log is not available: Appending");
        await daemons.BothSayAsync("refused the login");
        await Task.Delay(2_000, Cancel);
        daemons.MustRun();
        Assert.True(daemons.Differ());

        daemons.Set(With("rotated"));
        await daemons.AreEqualAsync();
        await daemons.StopAsync();
        Assert.DoesNotContain("rotated'", string.Concat(daemons.Capture.Lines), StringComparison.Ordinal);
        Assert.Equal(0, await WaitingDaemons.GapsAsync(With("rotated")));

        string With(string password) => new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Password = password }.ConnectionString;
    }

    [Fact(Timeout = 180_000)]
    public async Task A_login_that_RabbitMQ_refuses_is_told_and_tried_again_with_what_the_settings_have_then()
    {
        await using var postgres = new PrivatePostgres();
        await using var rabbit = new PrivateRabbitMq();
        await Task.WhenAll(postgres.StartAsync(), rabbit.StartAsync());
        await WaitingDaemons.MigrateAsync(postgres.ConnectionString);
        using var daemons = new WaitingDaemons("maplog_refused");
        daemons.Set(postgres.ConnectionString, rabbit.UriOf("/", rabbit.User, "wrong").AbsoluteUri);
        daemons.Start();
        await daemons.BothSayAsync("refused the login of user");
        daemons.Change(2_000);
        await daemons.AreEqualAsync();

        daemons.Set(postgres.ConnectionString, rabbit.Uri.AbsoluteUri);
        await daemons.Replicator.SaysAsync("listening to RabbitMQ");
        await daemons.Capture.SaysAsync("Publishing to RabbitMQ");
        await daemons.Replicator.SaysAsync("following the bus");
        daemons.Change(2_000);
        await daemons.AreEqualAsync();
        await daemons.StopAsync();
        Assert.Single(daemons.Capture.Lines, l => l.Contains("refused the login of user", StringComparison.Ordinal));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
