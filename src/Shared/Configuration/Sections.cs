namespace Maplog.Configuration;

/// <summary>Where the settings that the daemons share are.</summary>
public static class Sections
{
    public const string Log = "Maplog:Log";
    public const string Bus = "Maplog:Bus";
    public const string Node = "Maplog:Node";
}
