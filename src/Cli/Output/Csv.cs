using System.Globalization;
using Maplog.Configuration;

namespace Maplog.Cli.Output;

/// <summary>Lines of comma-separated values by RFC 4180, in which a spreadsheet finds no formula.</summary>
internal static class Csv
{
    public static string Line(IEnumerable<string> cells) => string.Join(',', cells.Select(Cell));

    private static string Cell(string cell)
    {
        var text = SafeText.Of(cell);
        // A spreadsheet runs such a cell as a formula, quoted or not, unless it begins with an apostrophe.
        if (text is ['=' or '+' or '-' or '@', _, ..] && !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _))
            return $"\"'{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        return text.AsSpan().ContainsAny(",\"") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
    }
}
