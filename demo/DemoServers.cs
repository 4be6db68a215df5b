using System.Diagnostics;
using Maplog.Servers;
using Npgsql;

namespace Maplog.Demo;

/// <summary>Postgres and RabbitMQ for the demo.</summary>
/// <param name="Log">Connection string of the log's database.</param>
/// <param name="Bus">RabbitMQ's URI.</param>
internal sealed record DemoServers(string Log, string Bus)
{
    /// <summary>Those that are there already, or private ones in temporary folders.</summary>
    public static async Task<DemoServers> StartAsync(DemoOptions options, IScreen screen, Undo undo, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        screen.Say("Starting a private Postgres and a private RabbitMQ ...");
        undo.Add("Closing the connections", NpgsqlConnection.ClearAllPools);
        var servers = await Task.WhenAll(
            options.Log is { } log ? Task.FromResult((log, "Postgres as it is")) : StartPostgresAsync(undo, stop),
            options.Bus is { } bus ? Task.FromResult((bus, "RabbitMQ as it is")) : StartRabbitAsync(undo, stop));
        screen.Say($"{servers[0].Item2}, {servers[1].Item2}, after {clock.Elapsed.TotalSeconds:N1} s");
        return new DemoServers(servers[0].Item1, servers[1].Item1);
    }

    private static async Task<(string, string)> StartPostgresAsync(Undo undo, CancellationToken stop)
    {
        var postgres = new PrivatePostgres();
        undo.Add("Stopping Postgres", postgres.DisposeAsync);
        await postgres.StartAsync().WaitAsync(stop);
        await using var admin = NpgsqlDataSource.Create(postgres.ConnectionString);
        await using var create = admin.CreateCommand("create database maplog");
        await create.ExecuteNonQueryAsync(stop);
        return (postgres.ConnectionTo("maplog"), $"Postgres in {postgres.FolderPath} on port {postgres.Port}");
    }

    private static async Task<(string, string)> StartRabbitAsync(Undo undo, CancellationToken stop)
    {
        var rabbit = new PrivateRabbitMq();
        undo.Add("Stopping RabbitMQ", rabbit.DisposeAsync);
        await rabbit.StartAsync().WaitAsync(stop);
        return (rabbit.Uri.ToString(), $"RabbitMQ in {rabbit.FolderPath} on port {rabbit.Port}");
    }
}
