using System.Net.Sockets;
using Npgsql;

namespace Maplog.Log;

/// <summary>The log could not do what it was asked; the message says what, why, and what to do about it.</summary>
public class LogException : Exception
{
    // Of a writer that stood still for longer than its lease.
    private const string IdleInTransaction = "25P03";

    public LogException(string message, Exception? inner = null, bool isTransient = false) : base(message, inner) => IsTransient = isTransient;

    /// <summary>Whether the same call may succeed later: the server was away, restarting, or short of something.</summary>
    public bool IsTransient { get; }

    /// <param name="doing">What was being done, as in "Appending to lb-1".</param>
    /// <param name="store">The log it was done to.</param>
    /// <param name="failure">What Npgsql threw.</param>
    internal static LogException From(string doing, LogStore store, Exception failure)
    {
        var transient = Transient(failure);
        var server = failure as PostgresException ?? failure.InnerException as PostgresException;
        var reason = server?.SqlState switch
        {
            PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification =>
                $"{store.Place} refused the login ({server.MessageText}): check user and password in the log's ConnectionString.",
            PostgresErrorCodes.InvalidCatalogName =>
                $"{store.Place} does not exist ({server.MessageText}): create the database or correct the log's ConnectionString.",
            PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.UndefinedFunction =>
                $"{store.Place} has no log in schema '{store.Schema}' ({server.MessageText}): run `maplog migrate`.",
            PostgresErrorCodes.InsufficientPrivilege =>
                $"{store.Place} does not allow it ({server.MessageText}): grant the role what it needs, or use the role that `maplog migrate` prepared.",
            PostgresErrorCodes.CheckViolation when server.MessageText.Contains("partition", StringComparison.Ordinal) =>
                $"{store.Place} has no place for this source ({server.MessageText}): run `maplog source add SOURCE`.",
            PostgresErrorCodes.DiskFull =>
                $"{store.Place} is full ({server.MessageText}): make room on the server's disk.",
            PostgresErrorCodes.InternalError when EndedSession(server) =>
                $"{store.Place} ended the session by an error of its own ({server.MessageText}): see the server's log; a full disk is one cause.",
            { } state => $"{store.Place} said: {server.MessageText} (SQLSTATE {state}).",
            null when transient => $"{store.Place} cannot be reached ({Innermost(failure).Message.TrimEnd('.')}): is the server running, and is the log's ConnectionString right?",
            null => $"{store.Place}: {failure.Message}",
        };
        return new LogException($"{doing} failed. {reason}", failure, transient);
    }

    /// <summary>Whether <see cref="From"/> knows what to make of it.</summary>
    internal static bool Explains(Exception failure) =>
        failure is NpgsqlException or SocketException or IOException or TimeoutException
        || failure is InvalidOperationException { InnerException: NpgsqlException };

    private static bool Transient(Exception failure) => failure switch
    {
        // A server that is stopped by its operator, or a standby that is not yet the primary, comes back.
        PostgresException { SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.QueryCanceled or IdleInTransaction } => true,
        PostgresException { SqlState: PostgresErrorCodes.InternalError } internals when EndedSession(internals) => true,
        NpgsqlException npgsql => npgsql.IsTransient || npgsql.InnerException is { } inner && Transient(inner),
        SocketException or IOException or TimeoutException => true,
        { InnerException: NpgsqlException inner } => Transient(inner),
        _ => false,
    };

    // So a session ends that begins while the server's disk is full, whatever was asked of it.
    private static bool EndedSession(PostgresException server) => server.InvariantSeverity is "FATAL" or "PANIC";

    private static Exception Innermost(Exception failure)
    {
        while (failure.InnerException is { } inner)
            failure = inner;
        return failure;
    }
}
