using Npgsql;

namespace Maplog.Log;

/// <summary>The log could not do what it was asked; the message says what, why, and what to do about it.</summary>
public class LogException : Exception
{
    public LogException(string message, Exception? inner = null, FailureKind kind = FailureKind.Lasting, string? reason = null) : base(message, inner) =>
        (Kind, Reason) = (kind, reason ?? message);

    /// <summary>Whether it passes, is for an administrator, or stays.</summary>
    public FailureKind Kind { get; }

    /// <summary>The message without what was being done: the same for each call that fails of the same.</summary>
    public string Reason { get; }

    /// <summary>Whether the same call may succeed later without anybody's help: the server was away, restarting, or short of something.</summary>
    public bool IsTransient => Kind == FailureKind.Passing;

    /// <summary>Whether a daemon waits for its end: it passes, or an administrator of the server can mend it while the daemon runs.</summary>
    public bool MayPass => Kind != FailureKind.Lasting;

    /// <param name="doing">What was being done, as in "Appending to lb-1".</param>
    /// <param name="store">The log it was done to.</param>
    /// <param name="failure">What Npgsql threw.</param>
    internal static LogException From(string doing, LogStore store, Exception failure)
    {
        var server = LogFailures.AnswerIn(failure);
        var kind = LogFailures.KindOf(failure);
        if (server is not null && LogFailures.OutdatesSession(server.SqlState))
            store.RenewSessions();
        var reason = server is null ? Unanswered(store, failure, kind) : Answered(store, server, ref kind);
        return new LogException($"{doing} failed. {reason}", failure, kind, reason);
    }

    /// <summary>Whether <see cref="From"/> knows what to make of it.</summary>
    internal static bool Explains(Exception failure) => failure is not OperationCanceledException && LogFailures.IsOfServer(failure);

    private static string Answered(LogStore store, PostgresException server, ref FailureKind kind)
    {
        switch (server.SqlState)
        {
            case PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification:
                return $"{store.Place} refused the login ({server.MessageText}): check user and password in the log's ConnectionString.";
            case PostgresErrorCodes.ProtocolViolation when server.MessageText.Contains("startup parameter", StringComparison.Ordinal):
                return $"The pooler before {store.Place} refused the session ({server.MessageText}): set ignore_startup_parameters = options in pgbouncer.ini.";
            case PostgresErrorCodes.ProtocolViolation:
                return $"The pooler before {store.Place}, or the server, refused the session ({server.MessageText}): see its log.";
            case PostgresErrorCodes.InvalidSqlStatementName or PostgresErrorCodes.DuplicatePreparedStatement:
                return $"{store.Place} does not know this session's statements ({server.MessageText}): "
                    + "a pooler before it must give each session a server session of its own (pool_mode = session).";
            case PostgresErrorCodes.ReadOnlySqlTransaction:
                return $"{store.Place} takes no writes ({server.MessageText}): it is a standby, or was demoted. The next try opens new sessions.";
            case PostgresErrorCodes.InvalidCatalogName:
                return $"{store.Place} does not exist ({server.MessageText}): create the database or correct the log's ConnectionString.";
            case PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.UndefinedFunction:
                return $"{store.Place} has no log in schema '{store.Schema}' ({server.MessageText}): run `maplog migrate`.";
            case PostgresErrorCodes.InsufficientPrivilege:
                return $"{store.Place} does not allow it ({server.MessageText}): grant the missing right to the role, or use a role that `maplog migrate` created.";
            case PostgresErrorCodes.CheckViolation when server.MessageText.Contains("partition", StringComparison.Ordinal):
                kind = FailureKind.Mendable;
                return $"{store.Place} does not have this source ({server.MessageText}): run `maplog source add SOURCE`.";
            case PostgresErrorCodes.DiskFull:
                return $"{store.Place} is full ({server.MessageText}): make room on the server's disk.";
            case PostgresErrorCodes.InternalError when LogFailures.EndsSession(server):
                return $"{store.Place} ended the session because of an internal error ({server.MessageText}): see the server's log; a full disk is one cause.";
            default:
                return $"{store.Place} said: {server.MessageText} (SQLSTATE {server.SqlState}).";
        }
    }

    private static string Unanswered(LogStore store, Exception failure, FailureKind kind)
    {
        if (kind == FailureKind.Lasting)
            return $"{store.Place}: {failure.Message}";
        // Of several hosts each has its own reason; Npgsql's own sentence points at them.
        var causes = LogFailures.Causes(failure).Where(c => c.InnerException is null).Select(c => c.Message.TrimEnd('.')).Distinct();
        return kind == FailureKind.Passing
            ? $"{store.Place} cannot be reached ({string.Join("; ", causes)}): is the server running, and is the log's ConnectionString right?"
            : $"{store.Place} did not accept the login ({string.Join("; ", causes)}): check the log's ConnectionString.";
    }
}
