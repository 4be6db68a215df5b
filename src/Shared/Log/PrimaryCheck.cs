using Npgsql;

namespace Maplog.Log;

/// <summary>
/// Whether a session leads to the server that the log is written to. A proxy, or an address that moved, may have left a session with a
/// server that was the primary once: it answers, and its log has stopped. Thread-safe.
/// </summary>
/// <param name="place">The log, as a person names it.</param>
internal sealed class PrimaryCheck(string place)
{
    private const string Role = "select pg_is_in_recovery(), current_setting('transaction_read_only')";

    // Each promotion begins a timeline; a primary that was left behind stays in its own.
    private const string Timeline = """
        , (select system_identifier from pg_control_system()),
        case when not pg_is_in_recovery() then ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int end
        """;

    private readonly Lock _lock = new();
    private readonly Dictionary<long, int> _latest = [];
    private volatile bool _knowsTimelines = true;

    /// <exception cref="LogException">The session leads to a standby, or to a server that was the primary once.</exception>
    public async Task CheckAsync(NpgsqlConnection session, CancellationToken cancellation)
    {
        if (await FindMistakeAsync(session, cancellation) is { } mistake)
            throw new LogException($"Opening a session failed. {mistake}", kind: FailureKind.Passing, reason: mistake);
    }

    private async Task<string?> FindMistakeAsync(NpgsqlConnection session, CancellationToken cancellation)
    {
        try
        {
            await using var ask = new NpgsqlCommand(_knowsTimelines ? Role + Timeline : Role, session);
            await using var answer = await ask.ExecuteReaderAsync(cancellation);
            await answer.ReadAsync(cancellation);
            if (answer.GetBoolean(0))
                return $"{place} leads to a standby, whose log may be behind: the next try opens a new session. If this does not change, correct the log's ConnectionString.";
            if (answer.GetString(1) == "on")
                return $"{place} takes no writes, so it is not the present primary of the log: the next try opens a new session.";
            return _knowsTimelines && !answer.IsDBNull(3) ? FindMistake(answer.GetInt64(2), answer.GetInt32(3)) : null;
        }
        catch (PostgresException e) when (_knowsTimelines && LogFailures.KindOf(e) != FailureKind.Passing)
        {
            // Not every service that speaks Postgres has these functions, or allows them.
            _knowsTimelines = false;
            return await FindMistakeAsync(session, cancellation);
        }
    }

    private string? FindMistake(long cluster, int timeline)
    {
        lock (_lock)
        {
            var latest = _latest.GetValueOrDefault(cluster);
            if (timeline >= latest)
            {
                _latest[cluster] = timeline;
                return null;
            }
            return $"{place} leads to a server of timeline {timeline}, but timeline {latest} has begun: the server is a former primary. The next try opens a new session. "
                + "If a point-in-time recovery caused this, restart this daemon.";
        }
    }
}
