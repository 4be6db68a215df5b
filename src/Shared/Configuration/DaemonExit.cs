namespace Maplog.Configuration;

/// <summary>The code a daemon ends with: 0 stopped as asked, 1 could not go on, 2 wrong settings.</summary>
public sealed class DaemonExit
{
    public const int Failed = 1;
    public const int WrongSettings = 2;

    public int Code { get; set; }
}
