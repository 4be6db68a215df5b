using System.Text.RegularExpressions;

namespace Maplog.Configuration;

/// <summary>What somebody gave, as it may be repeated in an error: without the password that a connection string or an address has.</summary>
public static partial class Secrets
{
    /// <param name="given">A word of a command line, or the value of a setting.</param>
    public static string Hide(string given) => Keyword().Replace(Login().Replace(given, "://***@"), "$1***");

    // Up to the last '@': a password may have one, and a '/' or a ':'.
    [GeneratedRegex("://.*@", RegexOptions.Singleline)]
    private static partial Regex Login();

    // Up to the end: a password may have a ';', quoted or forgotten to be.
    [GeneratedRegex(@"\b((?:pass|pwd|psw|secret|token)[a-z _-]*=).*", RegexOptions.IgnoreCase | RegexOptions.Singleline)]
    private static partial Regex Keyword();
}
