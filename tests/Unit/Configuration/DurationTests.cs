using Maplog.Configuration;
using Xunit;

namespace Maplog.Tests.Unit.Configuration;

public sealed class DurationTests
{
    [Theory]
    [InlineData("10s", "00:00:10")]
    [InlineData("5m", "00:05:00")]
    [InlineData("1h30m", "01:30:00")]
    [InlineData("2 days", "2.00:00:00")]
    [InlineData("1.5 s", "00:00:01.5")]
    [InlineData("250ms", "00:00:00.25")]
    [InlineData("00:00:10", "00:00:10")]
    [InlineData("1.00:00:00", "1.00:00:00")]
    [InlineData("0", "00:00:00")]
    public void A_duration_is_a_number_with_its_unit_or_a_clock(string text, string span) =>
        Assert.Equal(TimeSpan.Parse(span, System.Globalization.CultureInfo.InvariantCulture), Duration.Parse(text));

    [Theory]
    [InlineData("1")]
    [InlineData("10")]
    [InlineData("1.5")]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("-5s")]
    [InlineData("-00:00:05")]
    [InlineData("5x")]
    [InlineData("99999999999w")]
    public void A_number_without_a_unit_is_no_duration(string text) => Assert.Null(Duration.Parse(text));
}
