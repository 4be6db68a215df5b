using System.Globalization;
using System.Text.RegularExpressions;

namespace Maplog.Configuration;

/// <summary>
/// Durations as operators write them: a number with its unit (<c>10s</c>, <c>5m</c>, <c>1h30m</c>, <c>250ms</c>), or hours:minutes:seconds
/// (<c>00:00:10</c>, with days before a point). A number without a unit is not a duration: .NET reads it as days.
/// </summary>
public static partial class Duration
{
    public const string Forms = "10s, 5m, 1h30m, 250ms or hours:minutes:seconds (00:00:30)";

    private static readonly TimeSpan Max = TimeSpan.FromDays(3_650_000);

    /// <returns>Null: it is not a duration. 0 is a duration without a unit.</returns>
    public static TimeSpan? Parse(string text)
    {
        var words = text.Trim().ToLowerInvariant();
        if (words == "0")
            return TimeSpan.Zero;
        if (UnitsPattern().Match(words) is { Success: true } units)
            return Sum(units);
        return words.Contains(':', StringComparison.Ordinal)
            && TimeSpan.TryParse(words, CultureInfo.InvariantCulture, out var span) && span >= TimeSpan.Zero ? span : null;
    }

    private static TimeSpan? Sum(Match match)
    {
        var seconds = 0.0;
        for (var i = 0; i < match.Groups["n"].Captures.Count; i++)
        {
            var number = double.Parse(match.Groups["n"].Captures[i].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture);
            seconds += number * match.Groups["unit"].Captures[i].Value switch
            {
                "ms" or "millisecond" or "milliseconds" => 0.001,
                ['s', ..] => 1,
                ['m', ..] => 60,
                ['h', ..] => 3600,
                ['d', ..] => 86_400,
                _ => 7 * 86_400,
            };
        }
        return seconds <= Max.TotalSeconds ? TimeSpan.FromSeconds(seconds) : null;
    }

    [GeneratedRegex(@"^(?:(?<n>[0-9]+(?:\.[0-9]+)?) ?(?<unit>milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|h|days?|d|weeks?|w) ?)+$")]
    private static partial Regex UnitsPattern();
}
