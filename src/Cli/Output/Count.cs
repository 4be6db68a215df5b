namespace Maplog.Cli.Output;

/// <summary>Numbers of things with the right singular or plural.</summary>
internal static class Count
{
    /// <summary>"1 entry", "2 entries".</summary>
    public static string Of(long number, string one, string? several = null) => number == 1 ? $"1 {one}" : $"{number} {several ?? $"{one}s"}";
}
