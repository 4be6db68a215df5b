using Npgsql;

namespace Maplog.Log;

/// <summary>Which part of a connection string Npgsql does not take, without a word of what may be a password.</summary>
internal static class ConnectionStringFault
{
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
            if (equals < 0 || !IsKeyword(keyword))
                return isSecret ? $"its part {i + 1}, after a password, is no keyword and value." : equals < 0 ? $"its part {i + 1} has no '='." : $"'{keyword}' is no keyword of Npgsql.";
            if (!IsRead(part))
                return part.Count(c => c is '\'') % 2 == 1 || part.Count(c => c is '"') % 2 == 1 ? $"a quote in the value of {keyword} has no end." : $"the value of {keyword} is not of the kind that it takes.";
            isSecret |= keyword.Contains("pass", StringComparison.OrdinalIgnoreCase) || keyword.Contains("pwd", StringComparison.OrdinalIgnoreCase) || keyword.Contains("psw", StringComparison.OrdinalIgnoreCase);
        }
        return "it is not made of keywords and values.";
    }

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
