using Maplog.Servers;
using Npgsql;
using RabbitMQ.Client;
using Xunit;

namespace Maplog.Tests.Integration.Servers;

public sealed class PrivateServerTests
{
    [Fact]
    public async Task Postgres_keeps_its_rows_and_its_port_over_a_restart_and_a_kill()
    {
        await using var server = new PrivatePostgres();
        await server.StartAsync();
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await ExecuteAsync(source, "create table kept (n int); insert into kept values (1)");

        await server.RestartAsync();
        source.Clear();
        await ExecuteAsync(source, "insert into kept values (2)");
        await server.KillAsync();
        Assert.False(server.IsRunning);
        await server.StartAsync();
        source.Clear();

        await using var command = source.CreateCommand("select sum(n) from kept");
        Assert.Equal(3L, await command.ExecuteScalarAsync(TestContext.Current.CancellationToken));
    }

    // A backend with much memory takes long to die, and until it is dead it holds the server's shared memory.
    [Fact]
    public async Task A_kill_returns_when_every_process_of_the_server_has_let_go_of_its_memory()
    {
        await using var server = new PrivatePostgres();
        for (var round = 0; round < 2; round++)
        {
            await server.StartAsync();
            await using var source = NpgsqlDataSource.Create(server.ConnectionString);
            var large = Assert.ThrowsAnyAsync<NpgsqlException>(() => ExecuteAsync(source,
                "do $$ declare large text := repeat(repeat('x', 1000000), 300); begin create table has_it (round int); commit; perform pg_sleep(600); end $$"));
            await using var look = source.CreateCommand("select to_regclass('has_it') is not null");
            while (await look.ExecuteScalarAsync(TestContext.Current.CancellationToken) is not true)
                await Task.Delay(20, TestContext.Current.CancellationToken);

            await server.KillAsync();

            await server.StartAsync();
            await large;
            source.Clear();
            await ExecuteAsync(source, "drop table has_it");
        }
    }

    [Fact]
    public async Task A_frozen_server_answers_in_none_of_its_sessions_until_it_is_thawed()
    {
        await using var server = new PrivatePostgres();
        await server.StartAsync();
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await using var session = await source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand("select 1", session);
        await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);

        server.Freeze();
        var answer = command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
        await Task.Delay(500, TestContext.Current.CancellationToken);
        Assert.False(answer.IsCompleted);

        server.Thaw();
        Assert.Equal(1, await answer);
    }

    [Fact]
    public async Task Postgres_refuses_a_wrong_password()
    {
        await using var server = new PrivatePostgres();
        await server.StartAsync();
        var wrong = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Password = "wrong" }.ConnectionString;
        await using var source = NpgsqlDataSource.Create(wrong);
        var refusal = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(source, "select 1"));
        Assert.Equal(PostgresErrorCodes.InvalidPassword, refusal.SqlState);
    }

    [Fact]
    public async Task RabbitMq_keeps_durable_messages_over_a_restart_and_a_kill()
    {
        await using var server = new PrivateRabbitMq();
        await server.StartAsync();
        await UsingAsync(server.Uri, async channel =>
        {
            await channel.QueueDeclareAsync("kept", durable: true, exclusive: false, autoDelete: false);
            await channel.BasicPublishAsync("", "kept", true, new BasicProperties { Persistent = true }, new byte[] { 1 });
        });

        await server.RestartAsync();
        await UsingAsync(server.Uri, channel => channel.BasicPublishAsync("", "kept", true, new BasicProperties { Persistent = true }, new byte[] { 2 }).AsTask());
        await server.KillAsync();
        await server.StartAsync();

        await UsingAsync(server.Uri, async channel => Assert.Equal(2u, await channel.MessageCountAsync("kept")));
    }

    [Fact]
    public async Task Disposing_leaves_no_process_and_no_folder()
    {
        PrivateServer[] servers = [new PrivatePostgres(), new PrivateRabbitMq()];
        await Task.WhenAll(servers.Select(s => s.StartAsync()));
        foreach (var server in servers)
        {
            var folder = server.FolderPath;
            Assert.NotEmpty(ProcessesIn(folder));
            await server.DisposeAsync();
            Assert.False(Directory.Exists(folder));
            Assert.Empty(ProcessesIn(folder));
        }
    }

    [Fact]
    public async Task Servers_end_with_the_process_that_owns_them_even_by_kill_9()
    {
        using var owner = OwnerProcess.Start();
        string[] folders = [(await owner.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken))!, (await owner.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken))!];
        Assert.All(folders, f => Assert.NotEmpty(ProcessesIn(f)));

        owner.Kill();

        while (folders.Any(f => Directory.Exists(f) || ProcessesIn(f).Count > 0))
            await Task.Delay(50, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_server_that_is_not_installed_is_named_with_its_package()
    {
        await using var postgres = new PrivatePostgres(versions: "/nowhere");
        Assert.Contains("apt-get install postgresql", (await Assert.ThrowsAsync<MissingServerException>(postgres.StartAsync)).Message, StringComparison.Ordinal);
        await using var rabbit = new PrivateRabbitMq(programs: "/nowhere");
        Assert.Contains("apt-get install rabbitmq-server", (await Assert.ThrowsAsync<MissingServerException>(rabbit.StartAsync)).Message, StringComparison.Ordinal);
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private static async Task UsingAsync(Uri uri, Func<IChannel, Task> use)
    {
        await using var connection = await new ConnectionFactory { Uri = uri }.CreateConnectionAsync(TestContext.Current.CancellationToken);
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true), TestContext.Current.CancellationToken);
        await use(channel);
    }

    private static List<string> ProcessesIn(string folder)
    {
        var found = new List<string>();
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(p => char.IsAsciiDigit(Path.GetFileName(p)[0])))
        {
            try
            {
                if (File.ReadAllText($"{process}/environ").Contains($"={folder}\0", StringComparison.Ordinal)
                    || new FileInfo($"{process}/cwd").LinkTarget?.StartsWith(folder, StringComparison.Ordinal) is true)
                    found.Add(process);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Ended meanwhile.
            }
        }
        return found;
    }
}
