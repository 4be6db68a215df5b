using Maplog.Cli;
using Maplog.Cli.TimeTravel;
using Xunit;

namespace Maplog.Tests.Unit.Cli;

public sealed class MomentTests
{
    private static readonly TimeProvider Vienna = new Clock(new DateTimeOffset(2026, 7, 1, 8, 30, 0, TimeSpan.Zero), "Europe/Vienna");

    [Theory]
    [InlineData("now", "2026-07-01T08:30:00Z")]
    [InlineData("2026-03-01T14:00:00Z", "2026-03-01T14:00:00Z")]
    [InlineData("2026-03-01t14:00:00.123456+05:30", "2026-03-01T08:30:00.123456Z")]
    [InlineData("2026-03-01 14:00 UTC", "2026-03-01T14:00:00Z")]
    [InlineData("2026-03-01 14:00", "2026-03-01T13:00:00Z")]
    [InlineData("2026-06-01 14:00:05.5", "2026-06-01T12:00:05.5Z")]
    [InlineData("2026-06-01", "2026-05-31T22:00:00Z")]
    [InlineData("14:00", "2026-07-01T12:00:00Z")]
    [InlineData("today", "2026-06-30T22:00:00Z")]
    [InlineData("yesterday 14:00", "2026-06-30T12:00:00Z")]
    [InlineData("Yesterday", "2026-06-29T22:00:00Z")]
    [InlineData("10 minutes ago", "2026-07-01T08:20:00Z")]
    [InlineData("1h30m ago", "2026-07-01T07:00:00Z")]
    [InlineData("1 hour 30 minutes ago", "2026-07-01T07:00:00Z")]
    [InlineData("1.5 days ago", "2026-06-29T20:30:00Z")]
    [InlineData("250ms ago", "2026-07-01T08:29:59.75Z")]
    [InlineData("2 weeks ago", "2026-06-17T08:30:00Z")]
    [InlineData("10s", "2026-07-01T08:29:50Z")]
    [InlineData("5m", "2026-07-01T08:25:00Z")]
    [InlineData("2026-03-01T14:00:00.123456789Z", "2026-03-01T14:00:00.1234567Z")]
    [InlineData("2026-03-01T14:00:00.1234567890123-01:00", "2026-03-01T15:00:00.1234567Z")]
    [InlineData("1767225600", "2026-01-01T00:00:00Z")]
    [InlineData("@1767225600.25", "2026-01-01T00:00:00.25Z")]
    [InlineData("@60", "1970-01-01T00:01:00Z")]
    public void A_time_is_read_as_people_write_it(string text, string utc) =>
        Assert.Equal(DateTimeOffset.Parse(utc, System.Globalization.CultureInfo.InvariantCulture), Moment.Parse(text, Vienna));

    [Theory]
    [InlineData("soon")]
    [InlineData("")]
    [InlineData("ago")]
    [InlineData("10 ago")]
    [InlineData("yesterday noon")]
    [InlineData("2026-13-01")]
    [InlineData("2026-03-01 25:00")]
    [InlineData("2026-03-01 14:00 +99:00")]
    [InlineData("9999999 weeks ago")]
    public void What_is_no_time_is_told_how_to_write_one(string text) =>
        Assert.Contains("is not a time: write 2026-03-01T14:00:00Z", Assert.Throws<UsageException>(() => Moment.Parse(text, Vienna)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("4711", "write @4711 for unix seconds, 4711s for seconds ago. Use --version for a version.")]
    [InlineData("1767225600000", "write unix time in seconds, as @1767225600")]
    [InlineData("@99999999999999", "write unix time in seconds, as @1767225600")]
    public void Digits_alone_are_unix_seconds_or_nothing(string text, string advice) =>
        Assert.Contains(advice, Assert.Throws<UsageException>(() => Moment.Parse(text, Vienna)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_time_that_the_clocks_showed_twice_or_never_is_not_guessed()
    {
        Assert.Contains("did not exist", Assert.Throws<UsageException>(() => Moment.Parse("2026-03-29 02:30", Vienna)).Message, StringComparison.Ordinal);
        Assert.Contains("occurred twice", Assert.Throws<UsageException>(() => Moment.Parse("2026-10-25 02:30", Vienna)).Message, StringComparison.Ordinal);
    }

    private sealed class Clock(DateTimeOffset now, string zone) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;

        public override TimeZoneInfo LocalTimeZone { get; } = TimeZoneInfo.FindSystemTimeZoneById(zone);
    }
}
