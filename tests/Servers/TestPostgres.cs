using Npgsql;
using Testcontainers.PostgreSql;

namespace Maplog.Servers;

/// <summary>
/// The Postgres that tests share: a container where a Docker engine answers, else Debian's own server. It starts when it is first
/// asked for something. Share one per test assembly, and take a new database per test class.
/// </summary>
public class TestPostgres : IAsyncDisposable
{
    private const string Image = "postgres:15";
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
    private PrivatePostgres? _private;
    private PostgreSqlContainer? _container;
    private int _databases;

    /// <summary>The superuser's connection to the database <c>postgres</c>; known once it runs.</summary>
    public string ConnectionString => _private?.ConnectionString
        ?? _container?.GetConnectionString()
        ?? throw new InvalidOperationException("The test Postgres has not been started yet: call StartAsync first.");

    public async Task StartAsync()
    {
        await _oneAtATime.WaitAsync();
        try
        {
            if (_private is null && _container is null)
            {
                if (await TakesContainerAsync())
                    // A fixed port, so that it is the same after a restart.
                    _container = new PostgreSqlBuilder(Image).WithDatabase("postgres").WithUsername("maplog")
                        .WithPortBinding(FreePorts.Take("127.0.0.1", 1)[0], PostgreSqlBuilder.PostgreSqlPort).Build();
                else
                    _private = new PrivatePostgres();
            }
            await (_private?.StartAsync() ?? _container!.StartAsync());
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>Whether a container can be used, from where the tests run.</summary>
    protected virtual Task<bool> TakesContainerAsync() => DockerEngine.AnswersAsync();

    public Task StopAsync() => _private?.StopAsync() ?? _container?.StopAsync() ?? Task.CompletedTask;

    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    /// <summary>kill -9.</summary>
    public Task KillAsync() => _private?.KillAsync() ?? (_container is null ? Task.CompletedTask : DockerEngine.KillAsync(_container));

    /// <summary>Makes an empty database, starting the server if need be.</summary>
    /// <param name="name">Begin of its name: a-z, 0-9 and '_'; a number follows.</param>
    /// <returns>The superuser's connection to it.</returns>
    public async Task<string> CreateDatabaseAsync(string name = "test")
    {
        await StartAsync();
        var database = $"{name}_{Interlocked.Increment(ref _databases)}";
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var command = source.CreateCommand($"create database \"{database}\"");
        await command.ExecuteNonQueryAsync();
        return new NpgsqlConnectionStringBuilder(ConnectionString) { Database = database }.ConnectionString;
    }

    /// <summary>Drops a database, whoever is connected to it.</summary>
    public async Task DropDatabaseAsync(string database)
    {
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var command = source.CreateCommand($"drop database if exists \"{database}\" with (force)");
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        // Pooled connections would outlive their server.
        NpgsqlConnection.ClearAllPools();
        if (_private is not null)
            await _private.DisposeAsync();
        if (_container is not null)
            await _container.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
