using Maplog.Events;
using Maplog.Log;
using Maplog.Servers;

namespace Maplog.Tests.Integration.Log;

/// <summary>A migrated log of its own in the shared Postgres, with the sources lb-1 and lb-2.</summary>
internal sealed class LogDatabase : IAsyncDisposable
{
    private LogDatabase(LogOptions options)
    {
        Options = options;
        Store = new LogStore(options);
    }

    public LogOptions Options { get; }

    public LogStore Store { get; }

    public LogSchema Schema => new(Store);

    public LogReader Reader => new(Store);

    public static async Task<LogDatabase> EmptyAsync(TestPostgres postgres, string schema = "maplog") =>
        new(new LogOptions { ConnectionString = await postgres.CreateDatabaseAsync("log"), Schema = schema });

    public static async Task<LogDatabase> MigratedAsync(TestPostgres postgres, string schema = "maplog")
    {
        var database = await EmptyAsync(postgres, schema);
        await database.MigrateAsync();
        return database;
    }

    /// <summary>The same in a database of a server of the test's own.</summary>
    public static async Task<LogDatabase> MigratedAsync(string connection)
    {
        var database = new LogDatabase(new LogOptions { ConnectionString = connection });
        await database.MigrateAsync();
        return database;
    }

    private async Task MigrateAsync()
    {
        await Schema.MigrateAsync();
        await Schema.AddSourceAsync("lb-1");
        await Schema.AddSourceAsync("lb-2");
    }

    public async Task<object?> QueryAsync(string sql)
    {
        await using var command = Store.Database.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    /// <summary>Does to the events what the log refuses, with the rights that only a superuser of the server has.</summary>
    public Task TamperAsync(string sql) => QueryAsync($"set session_replication_role = replica; {sql}; set session_replication_role = default");

    /// <summary>The events after a version, copied out of their pages.</summary>
    public async Task<List<LoggedEvent>> ReadAsync(StreamName stream, long after = 0, long? upTo = null)
    {
        var events = new List<LoggedEvent>();
        await foreach (var page in Reader.ReadAsync(stream, new StreamVersion(after), upTo is { } last ? new StreamVersion(last) : null))
            foreach (var e in page)
                events.Add(e with { Data = e.Data.ToArray() });
        return events;
    }

    public ValueTask DisposeAsync() => Store.DisposeAsync();
}
