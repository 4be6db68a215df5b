using System.Globalization;
using System.Text.RegularExpressions;

namespace Maplog.Cli.TimeTravel;

/// <summary>
/// Times as people write them: RFC 3339, a date, a date and a time, a time of today, <c>yesterday 14:00</c>,
/// <c>10 minutes ago</c>, <c>1h30m ago</c>, <c>now</c>. Where no zone is named, the local one is meant.
/// </summary>
internal static partial class Moment
{
    public const string Forms = "2026-03-01T14:00:00Z, '2026-03-01 14:00', 'yesterday 14:00', '14:00', '10 minutes ago'";

    /// <param name="text">What was written.</param>
    /// <param name="time">Says what now is, and what zone is local.</param>
    /// <exception cref="UsageException">It is no time, or one that the local clocks showed twice or never.</exception>
    public static DateTimeOffset Parse(string text, TimeProvider time)
    {
        var words = string.Join(' ', text.Trim().ToLowerInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries));
        var now = time.GetUtcNow();
        if (words == "now")
            return now;
        if (AgoPattern().Match(words) is { Success: true } ago)
            return Ago(text, now, ago);
        var zone = time.LocalTimeZone;
        var today = TimeZoneInfo.ConvertTime(now, zone).Date;
        var (day, rest) = words.Split(' ', 2) switch
        {
            ["today", .. var after] => (today, after is [var t] ? t : "00:00"),
            ["yesterday", .. var after] => (today.AddDays(-1), after is [var t] ? t : "00:00"),
            [var clock] when TimeOfDay(clock) is not null => (today, clock),
            _ => (default(DateTime?), ""),
        };
        if (day is { } date)
            return TimeOfDay(rest) is { } timeOfDay ? Local(text, date + timeOfDay, zone) : throw No(text);
        if (DatePattern().Match(words) is not { Success: true } match
            || !DateTime.TryParseExact(match.Groups["date"].Value, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var written))
            throw No(text);
        if (match.Groups["time"] is { Success: true } clockTime)
            written += TimeOfDay(clockTime.Value) ?? throw No(text);
        return match.Groups["zone"].Value.Trim() switch
        {
            "" => Local(text, written, zone),
            "z" or "utc" => new DateTimeOffset(written, TimeSpan.Zero),
            var offset => new DateTimeOffset(written, Offset(text, offset)).ToUniversalTime(),
        };
    }

    private static DateTimeOffset Ago(string text, DateTimeOffset now, Match match)
    {
        var seconds = 0.0;
        for (var i = 0; i < match.Groups["n"].Captures.Count; i++)
        {
            seconds += double.Parse(match.Groups["n"].Captures[i].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture) * match.Groups["unit"].Captures[i].Value switch
            {
                "ms" or "millisecond" or "milliseconds" => 0.001,
                ['s', ..] => 1,
                ['m', ..] => 60,
                ['h', ..] => 3600,
                ['d', ..] => 86_400,
                _ => 7 * 86_400,
            };
        }
        return seconds < (now - DateTimeOffset.UnixEpoch).TotalSeconds ? now - TimeSpan.FromSeconds(seconds) : throw No(text);
    }

    private static TimeSpan? TimeOfDay(string text) =>
        TimeOnly.TryParseExact(text, ["H:mm", "H:mm:ss", "H:mm:ss.FFFFFFF"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time.ToTimeSpan() : null;

    private static TimeSpan Offset(string text, string offset)
    {
        var digits = offset[1..].Replace(":", "", StringComparison.Ordinal).PadRight(4, '0');
        var size = new TimeSpan(int.Parse(digits[..2], CultureInfo.InvariantCulture), int.Parse(digits[2..], CultureInfo.InvariantCulture), 0);
        return size <= TimeSpan.FromHours(14) ? offset[0] == '-' ? -size : size : throw No(text);
    }

    private static DateTimeOffset Local(string text, DateTime local, TimeZoneInfo zone)
    {
        if (zone.IsInvalidTime(local))
            throw new UsageException($"'{text}' never was: the clocks of {zone.Id} were set forward over it. Write the time with its zone, for example {local:yyyy-MM-dd'T'HH:mm:ss}Z.");
        if (zone.IsAmbiguousTime(local))
        {
            var offsets = zone.GetAmbiguousTimeOffsets(local).Select(o => $"{new DateTimeOffset(local, o):yyyy-MM-dd'T'HH:mm:sszzz}");
            throw new UsageException($"'{text}' was twice, because the clocks of {zone.Id} were set back over it: write {string.Join(" or ", offsets)}.");
        }
        return new DateTimeOffset(local, zone.GetUtcOffset(local)).ToUniversalTime();
    }

    private static UsageException No(string text) => new($"'{text}' is no time: write {Forms}.");

    [GeneratedRegex(@"^(?:(?<n>[0-9]+(?:\.[0-9]+)?) ?(?<unit>milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|h|days?|d|weeks?|w) ?)+ago$")]
    private static partial Regex AgoPattern();

    [GeneratedRegex(@"^(?<date>[0-9]{4}-[0-9]{2}-[0-9]{2})(?:[t ](?<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,7})?)?))?(?<zone> ?(?:z|utc|[+-][0-9]{2}(?::?[0-9]{2})?))?$")]
    private static partial Regex DatePattern();
}
