namespace Maplog.Servers;

/// <summary>A process that does nothing but own one private server of each kind.</summary>
public static class ServerOwner
{
    /// <summary>Starts the servers, writes a line with each one's folder, and waits to be killed.</summary>
    public static async Task OwnAsync()
    {
        PrivateServer[] servers = [new PrivatePostgres(), new PrivateRabbitMq()];
        await Task.WhenAll(servers.Select(s => s.StartAsync()));
        foreach (var server in servers)
            Console.WriteLine(server.FolderPath);
        await Task.Delay(Timeout.Infinite);
    }
}
