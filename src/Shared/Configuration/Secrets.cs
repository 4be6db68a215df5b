using System.Text.RegularExpressions;

namespace Maplog.Configuration;

/// <summary>User input in a form that an error may repeat: without the password of a connection string or an address.</summary>
public static partial class Secrets
{
    /// <param name="given">A word of a command line, or the value of a setting.</param>
    public static string Hide(string given) => Keyword().Replace(Login().Replace(given, "://***@"), "$1***");

    // Up to the last '@': a password may contain one, and a '/' or a ':'.
    [GeneratedRegex("://.*@", RegexOptions.Singleline)]
    private static partial Regex Login();

    // Up to the end: a password may contain a ';', with quotes or without.
    [GeneratedRegex(@"\b((?:pass|pwd|psw|secret|token)[a-z _-]*=).*", RegexOptions.IgnoreCase | RegexOptions.Singleline)]
    private static partial Regex Keyword();
}
