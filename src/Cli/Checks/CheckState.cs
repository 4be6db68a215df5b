namespace Maplog.Cli.Checks;

/// <summary>The result of a check.</summary>
internal enum CheckState
{
    Ok,

    /// <summary>Capture works, but not as well as it could.</summary>
    Warning,

    /// <summary>Capture does not work in this state.</summary>
    Failure,
}
