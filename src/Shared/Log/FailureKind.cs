namespace Maplog.Log;

/// <summary>Whether a failure of the log ends by itself, is for an administrator of the server, or stays.</summary>
public enum FailureKind
{
    /// <summary>The same call fails again whatever the server does: damaged history, a statement that the server cannot run.</summary>
    Lasting = 0,

    /// <summary>An administrator of the server can mend it: a login, a database, a schema or a right is missing.</summary>
    Mendable,

    /// <summary>The server is away, restarts, changes its role, or lacks memory, disk or connections at this moment.</summary>
    Passing,
}
