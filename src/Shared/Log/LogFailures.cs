using System.Net.Sockets;
using Npgsql;

namespace Maplog.Log;

/// <summary>The one place that decides which failures of Postgres, of a pooler before it, or of the way there a daemon waits for.</summary>
public static class LogFailures
{
    /// <summary>Of a writer that stood still for longer than its lease.</summary>
    private const string IdleInTransaction = "25P03";

    private const string TransactionTimeout = "25P04", DatabaseDropped = "57P04";

    // SQLSTATE classes, by their first two characters: https://www.postgresql.org/docs/current/errcodes-appendix.html
    private static readonly Dictionary<string, FailureKind> Classes = new()
    {
        ["08"] = FailureKind.Passing, // connection; 08P01 is also what pgbouncer says of a server that it cannot reach
        ["28"] = FailureKind.Mendable, // login: a password that is being changed, a line of pg_hba.conf
        ["3D"] = FailureKind.Mendable, // no such database: it is being restored
        ["3F"] = FailureKind.Mendable, // no such schema: likewise
        ["40"] = FailureKind.Passing, // rolled back: a deadlock, a conflict with recovery
        ["53"] = FailureKind.Passing, // no disk, memory or connection is left
        ["55"] = FailureKind.Passing, // locked, in use, or a database that accepts no connections now
        ["57"] = FailureKind.Passing, // stopped, starting, or cancelled by an operator
        ["58"] = FailureKind.Passing, // the server's own files
        ["F0"] = FailureKind.Passing, // the server's configuration
        ["XX"] = FailureKind.Mendable, // internal, see the server's log; one that ends the session passes (InternalError below)
    };

    private static readonly Dictionary<string, FailureKind> States = new()
    {
        [PostgresErrorCodes.FeatureNotSupported] = FailureKind.Passing, // a prepared statement whose table was migrated since
        [PostgresErrorCodes.ReadOnlySqlTransaction] = FailureKind.Passing, // a standby, or a primary that was demoted
        [IdleInTransaction] = FailureKind.Passing,
        [TransactionTimeout] = FailureKind.Passing,
        [PostgresErrorCodes.InvalidSqlStatementName] = FailureKind.Passing, // a pooler gave the session another server's session
        [PostgresErrorCodes.DuplicatePreparedStatement] = FailureKind.Passing, // likewise
        [PostgresErrorCodes.InsufficientPrivilege] = FailureKind.Mendable,
        [PostgresErrorCodes.UndefinedTable] = FailureKind.Mendable, // a log that is being restored or migrated
        [PostgresErrorCodes.UndefinedColumn] = FailureKind.Mendable,
        [PostgresErrorCodes.UndefinedFunction] = FailureKind.Mendable,
        [PostgresErrorCodes.UndefinedObject] = FailureKind.Mendable,
        [PostgresErrorCodes.CheckViolation] = FailureKind.Lasting,
        [DatabaseDropped] = FailureKind.Mendable,
    };

    /// <summary>Failures after which the session, though whole, is of no more use: only another session can reach another server or have other statements.</summary>
    private static readonly HashSet<string> OutdatedSession =
    [
        PostgresErrorCodes.ReadOnlySqlTransaction, PostgresErrorCodes.FeatureNotSupported,
        PostgresErrorCodes.InvalidSqlStatementName, PostgresErrorCodes.DuplicatePreparedStatement,
    ];

    /// <summary>Whether a failure is one of the server or of the way to it, and not of this program.</summary>
    public static bool IsOfServer(Exception failure) => Causes(failure).Any(c =>
        c is NpgsqlException or SocketException or IOException or TimeoutException
        // Npgsql's own states: a session that broke between two calls is "not open" or disposed for the second.
        || c is InvalidOperationException { Source: "Npgsql" });

    /// <summary>What the server said, wherever in the failure it is; null: nothing.</summary>
    public static PostgresException? AnswerIn(Exception failure)
    {
        var answers = Causes(failure).OfType<PostgresException>().ToList();
        // Of several servers the one counts that may take the session soonest.
        return answers.MaxBy(KindOf);
    }

    /// <summary>Of several servers that were tried, the failure that ends soonest decides.</summary>
    public static FailureKind KindOf(Exception failure)
    {
        if (failure is PostgresException server)
            return KindOf(server);
        var inner = Inner(failure);
        if (inner.Count > 0 && inner.Max(KindOf) is var soonest && (soonest != FailureKind.Lasting || inner.Any(i => i is PostgresException)))
            return soonest;
        return failure switch
        {
            NpgsqlException { IsTransient: true } or SocketException or TimeoutException => FailureKind.Passing,
            FileNotFoundException or DirectoryNotFoundException => FailureKind.Mendable, // a certificate
            IOException => FailureKind.Passing,
            InvalidOperationException { Source: "Npgsql" } => FailureKind.Passing,
            // No password, a certificate that is not accepted, a pool without room, no suitable host among several.
            NpgsqlException => IsNoHost(failure) ? FailureKind.Passing : FailureKind.Mendable,
            _ => FailureKind.Lasting,
        };
    }

    /// <param name="state">The SQLSTATE.</param>
    /// <param name="endsSession">Whether the server ended the session with it.</param>
    public static FailureKind KindOf(string state, bool endsSession) =>
        // So a session ends that begins while the server's disk is full, whatever was asked of it.
        state == PostgresErrorCodes.InternalError && endsSession ? FailureKind.Passing
        : States.TryGetValue(state, out var one) ? one
        : state.Length == 5 && Classes.TryGetValue(state[..2], out var all) ? all
        : FailureKind.Lasting;

    /// <summary>Whether a new session is needed for the next try.</summary>
    public static bool OutdatesSession(string state) => OutdatedSession.Contains(state);

    /// <summary>Whether the server ended the session with this answer.</summary>
    public static bool EndsSession(PostgresException server) => server.InvariantSeverity is "FATAL" or "PANIC";

    /// <summary>The failure and all that it was caused by, outermost first.</summary>
    public static IEnumerable<Exception> Causes(Exception failure) => Inner(failure).SelectMany(Causes).Prepend(failure);

    private static FailureKind KindOf(PostgresException server) => KindOf(server.SqlState, EndsSession(server));

    // "No suitable host was found." has no cause: every host is known to be away or in another role.
    private static bool IsNoHost(Exception failure) => failure.InnerException is null && failure.Message.Contains("suitable host", StringComparison.Ordinal);

    private static IReadOnlyList<Exception> Inner(Exception failure) =>
        failure is AggregateException several ? several.InnerExceptions : failure.InnerException is { } one ? new[] { one } : [];
}
