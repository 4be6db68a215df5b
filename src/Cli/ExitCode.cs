namespace Maplog.Cli;

/// <summary>The exit code of the command.</summary>
internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>A difference or a problem was found, or the command failed.</summary>
    public const int Failed = 1;

    /// <summary>The command line or a setting is wrong; nothing was done.</summary>
    public const int Usage = 2;

    /// <summary>The history of the requested moment was pruned.</summary>
    public const int Pruned = 3;

    /// <summary>Ctrl-C, as shells count it.</summary>
    public const int Interrupted = 130;
}
