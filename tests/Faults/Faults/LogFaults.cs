using Npgsql;

namespace Maplog.Tests.Faults;

/// <summary>Postgres away, dead, silent, or its answers lost on the way.</summary>
internal static class LogFaults
{
    public static readonly Fault[] All =
    [
        new("Postgres restarted", world => world.Postgres.RestartAsync()),
        new("Postgres killed", async world =>
        {
            await world.Postgres.KillAsync();
            await world.Postgres.StartAsync();
        }),
        new("Postgres away for long", async world =>
        {
            await world.Postgres.StopAsync();
            await world.WaitAsync(10_000, 15_000);
            await world.Postgres.StartAsync();
        }),
        new("Postgres does not answer", async world =>
        {
            world.Postgres.Freeze();
            await world.WaitAsync(1000, 5000);
            world.Postgres.Thaw();
        }),
        new("answers to commits lost", LoseAnswersAsync),
    ];

    // A session that ends as its commit goes through leaves its client without the answer.
    private static async Task LoseAnswersAsync(World world)
    {
        await using var source = NpgsqlDataSource.Create(world.Postgres.ConnectionTo("template1"));
        for (var i = 0; i < 60; i++)
        {
            await using var command = source.CreateCommand("select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = 'postgres' and state = 'active' and query ilike '%mt_%'");
            await command.ExecuteScalarAsync();
            await world.WaitAsync(0, 40);
        }
    }
}
