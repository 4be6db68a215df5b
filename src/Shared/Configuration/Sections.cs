namespace Maplog.Configuration;

/// <summary>The sections of the settings that the daemons share.</summary>
public static class Sections
{
    public const string Log = "Maplog:Log";
    public const string Bus = "Maplog:Bus";
    public const string Node = "Maplog:Node";
}
