namespace Maplog.Cli.Checks;

/// <summary>How a check came out.</summary>
internal enum CheckState
{
    Ok,

    /// <summary>Capture works, but less well than it could.</summary>
    Warning,

    /// <summary>Capture does not work like this.</summary>
    Failure,
}
