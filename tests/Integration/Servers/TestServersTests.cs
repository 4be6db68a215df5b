using Maplog.Servers;
using Npgsql;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Xunit;

namespace Maplog.Tests.Integration.Servers;

public sealed class TestServersTests(TestPostgres postgres, TestRabbitMq rabbit)
{
    [Fact]
    public async Task Each_database_asked_for_is_another_one()
    {
        var names = new[] { await postgres.CreateDatabaseAsync(), await postgres.CreateDatabaseAsync() }
            .Select(c => new NpgsqlConnectionStringBuilder(c).Database).ToList();
        Assert.NotEqual(names[0], names[1]);
    }

    [Fact]
    public async Task A_virtual_host_is_open_to_the_administrator_and_closed_to_others()
    {
        var uri = await rabbit.CreateVirtualHostAsync();
        await using (var connection = await new ConnectionFactory { Uri = uri }.CreateConnectionAsync(TestContext.Current.CancellationToken))
            Assert.True(connection.IsOpen);

        await rabbit.CreateUserAsync("stranger", "secret");
        var factory = new ConnectionFactory { Uri = new UriBuilder(uri) { UserName = "stranger", Password = "secret" }.Uri };
        await using var stranger = await factory.CreateConnectionAsync(TestContext.Current.CancellationToken);
        // The client does not wait for the answer to connection.open: the refusal shows at the first channel, which is interrupted by it
        // or finds the connection closed already.
        var refusal = await Assert.ThrowsAnyAsync<OperationInterruptedException>(() => stranger.CreateChannelAsync(null, TestContext.Current.CancellationToken));
        Assert.Equal(Constants.NotAllowed, refusal.ShutdownReason!.ReplyCode);
    }
}
