using System.Globalization;
using System.Text;

namespace Maplog.Configuration;

/// <summary>
/// Text from outside (names of processes, pins, nodes and maps) in a form that is safe to show: control characters, escape sequences and
/// marks that change the writing direction could move the cursor or make one name look like another. They are written as <c>\u001b</c>, as
/// in JSON, so that a line of JSON stays the same JSON.
/// </summary>
public static class SafeText
{
    /// <summary>A name: a line end and a tab in it are also unsafe.</summary>
    public static string Of(string? name) => Of(name, keepLines: false);

    /// <summary>Text of several lines, which keeps its line ends and tabs.</summary>
    public static string Lines(string? text) => Of(text, keepLines: true);

    /// <summary>Whether the whole text is safe as it is.</summary>
    public static bool IsSafe(ReadOnlySpan<char> text, bool keepLines = false)
    {
        // Nearly all text is safe.
        if (!text.ContainsAnyExceptInRange(' ', '~'))
            return true;
        foreach (var rune in text.EnumerateRunes())
            if (!IsSafe(rune, keepLines))
                return false;
        // Half a character is shown as the replacement character, which is a rune of its own.
        return true;
    }

    private static string Of(string? text, bool keepLines)
    {
        if (text is null || IsSafe(text, keepLines))
            return text ?? "";
        var safe = new StringBuilder(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsSafe(rune, keepLines))
            {
                safe.Append(rune.ToString());
                continue;
            }
            foreach (var unit in rune.ToString())
                safe.Append(CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}");
        }
        return safe.ToString();
    }

    private static bool IsSafe(Rune rune, bool keepLines) => rune.Value switch
    {
        '\n' or '\t' => keepLines,
        _ => Rune.GetUnicodeCategory(rune) is not (
            UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.OtherNotAssigned),
    };
}
