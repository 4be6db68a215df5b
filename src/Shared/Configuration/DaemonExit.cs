namespace Maplog.Configuration;

/// <summary>The exit code of a daemon: 0 stopped on request, 1 could not continue, 2 wrong settings.</summary>
public sealed class DaemonExit
{
    public const int Failed = 1;
    public const int WrongSettings = 2;

    public int Code { get; set; }
}
