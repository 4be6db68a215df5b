namespace Maplog.Cli.Output;

/// <summary>Times as text.</summary>
internal static class Times
{
    /// <summary>UTC, ISO 8601, whole microseconds: the log has no more.</summary>
    public static string Of(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'");
}
