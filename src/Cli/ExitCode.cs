namespace Maplog.Cli;

/// <summary>The code the command ends with.</summary>
internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>A difference or a lack was found, or the command could not do what it was asked.</summary>
    public const int Failed = 1;

    /// <summary>The command line or a setting is wrong; nothing was done.</summary>
    public const int Usage = 2;

    /// <summary>A moment was asked for whose history was pruned.</summary>
    public const int Pruned = 3;

    /// <summary>Ctrl-C, as shells count it.</summary>
    public const int Interrupted = 130;
}
