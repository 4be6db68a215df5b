using Npgsql;

namespace Maplog.Log;

/// <summary>Which part of a connection string Npgsql does not take, without a word of what may be a password.</summary>
internal static class ConnectionStringFault
{
    private static readonly string[] Secrets = ["pass", "pwd", "psw"];

    /// <param name="connection">A connection string that cannot be read.</param>
    /// <returns>A sentence.</returns>
    public static string In(string connection)
    {
        var parts = connection.Split(';');
        // Whatever follows a password may be the rest of it: it has a ';' that is not quoted.
        var isSecret = false;
        for (var i = 0; i < parts.Length; i++)
        {
            var part = parts[i].Trim();
            if (part.Length == 0)
                continue;
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            var keyword = equals < 0 ? part : part[..equals].Trim();
            if ((equals < 0 || !IsKeyword(keyword)) && isSecret)
                return $"its part {i + 1}, after a password, is not a keyword with a value.";
            if (equals < 0)
                return $"its part {i + 1} has no '='.";
            if (!IsKeyword(keyword))
                return $"'{keyword}' is not a keyword of Npgsql.";
            if (!IsRead(part))
                return HasOpenQuote(part) ? $"a quote in the value of {keyword} has no end." : $"the value of {keyword} is not valid.";
            isSecret |= Secrets.Any(s => keyword.Contains(s, StringComparison.OrdinalIgnoreCase));
        }
        return "it does not consist of keywords and values.";
    }

    private static bool HasOpenQuote(string part) => part.Count(c => c == '\'') % 2 == 1 || part.Count(c => c == '"') % 2 == 1;

    private static bool IsKeyword(string keyword)
    {
        try
        {
            // Without a value it is only looked up.
            return new NpgsqlConnectionStringBuilder().ContainsKey(keyword);
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static bool IsRead(string part)
    {
        try
        {
            _ = new NpgsqlConnectionStringBuilder(part);
            return true;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or NotSupportedException)
        {
            return false;
        }
    }
}
