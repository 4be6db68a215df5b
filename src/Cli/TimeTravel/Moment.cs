using System.Globalization;
using System.Text.RegularExpressions;
using Maplog.Configuration;

namespace Maplog.Cli.TimeTravel;

/// <summary>
/// Times as people and programs write them: RFC 3339 with up to nanoseconds, a date, a date and a time, a time of today, <c>yesterday
/// 14:00</c>, <c>10 minutes ago</c>, <c>10s</c> (the same as <c>10s ago</c>), <c>now</c>, and seconds since 1970 (unix time) as
/// <c>@1767225600</c> or, from nine digits on, without the @. A time without a zone is in the local zone. The log keeps microseconds; finer
/// digits are cut off.
/// </summary>
internal static partial class Moment
{
    public const string Forms = "2026-03-01T14:00:00Z, '2026-03-01 14:00', 'yesterday 14:00', '14:00', '10 minutes ago', 10m or @1767225600 (unix seconds)";

    /// <summary>Year 9999.</summary>
    private const decimal MaxUnixSeconds = 253_402_300_799m;

    private const int MinUnixDigits = 9;

    /// <param name="text">The text of the time.</param>
    /// <param name="time">Provides the present time and the local zone.</param>
    /// <exception cref="UsageException">The text is not a time, or a time that the local clocks showed twice or never.</exception>
    public static DateTimeOffset Parse(string text, TimeProvider time)
    {
        var words = string.Join(' ', text.Trim().ToLowerInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries));
        var now = time.GetUtcNow();
        if (words == "now")
            return now;
        if (UnixPattern().Match(words) is { Success: true } unix)
            return Unix(text, unix);
        var ago = words.EndsWith(" ago", StringComparison.Ordinal) ? words[..^4] : words;
        if (char.IsAsciiLetter(ago.LastOrDefault()) && Duration.Parse(ago) is { } age)
            return age < now - DateTimeOffset.UnixEpoch ? now - age : throw No(text);
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

    private static DateTimeOffset Unix(string text, Match match)
    {
        var digits = match.Groups["n"].Value;
        if (match.Groups["sign"].Length == 0 && digits.Split('.')[0].Length < MinUnixDigits)
            throw new UsageException($"'{text}' is not a time: write @{text} for unix seconds, {text}s for seconds ago. Use --version for a version.");
        return decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds <= MaxUnixSeconds
            ? DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * TimeSpan.TicksPerSecond))
            : throw new UsageException($"'{text}' is not a time: write unix time in seconds, as @1767225600 or @1767225600.25.");
    }

    // A tick is 100 ns: finer digits are cut off, as the log does with digits finer than a microsecond.
    private static TimeSpan? TimeOfDay(string text)
    {
        var fraction = text.IndexOf('.', StringComparison.Ordinal);
        var ticks = fraction >= 0 && text.Length > fraction + 8 && text.AsSpan(fraction + 1).ContainsAnyExceptInRange('0', '9') == false ? text[..(fraction + 8)] : text;
        return TimeOnly.TryParseExact(ticks, ["H:mm", "H:mm:ss", "H:mm:ss.FFFFFFF"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time.ToTimeSpan() : null;
    }

    private static TimeSpan Offset(string text, string offset)
    {
        var digits = offset[1..].Replace(":", "", StringComparison.Ordinal).PadRight(4, '0');
        var size = new TimeSpan(int.Parse(digits[..2], CultureInfo.InvariantCulture), int.Parse(digits[2..], CultureInfo.InvariantCulture), 0);
        return size <= TimeSpan.FromHours(14) ? offset[0] == '-' ? -size : size : throw No(text);
    }

    private static DateTimeOffset Local(string text, DateTime local, TimeZoneInfo zone)
    {
        if (zone.IsInvalidTime(local))
            throw new UsageException($"'{text}' did not exist: the clocks of {zone.Id} were set forward past it. Write the time with its zone, for example {local:yyyy-MM-dd'T'HH:mm:ss}Z.");
        if (zone.IsAmbiguousTime(local))
        {
            var offsets = zone.GetAmbiguousTimeOffsets(local).Select(o => $"{new DateTimeOffset(local, o):yyyy-MM-dd'T'HH:mm:sszzz}");
            throw new UsageException($"'{text}' occurred twice, because the clocks of {zone.Id} were set back over it: write {string.Join(" or ", offsets)}.");
        }
        return new DateTimeOffset(local, zone.GetUtcOffset(local)).ToUniversalTime();
    }

    private static UsageException No(string text) => new($"'{text}' is not a time: write {Forms}.");

    [GeneratedRegex(@"^(?<sign>@?)(?<n>[0-9]+(?:\.[0-9]+)?)$")]
    private static partial Regex UnixPattern();

    [GeneratedRegex(@"^(?<date>[0-9]{4}-[0-9]{2}-[0-9]{2})(?:[t ](?<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?))?(?<zone> ?(?:z|utc|[+-][0-9]{2}(?::?[0-9]{2})?))?$")]
    private static partial Regex DatePattern();
}
