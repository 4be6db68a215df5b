using System.ComponentModel.DataAnnotations;
using Maplog.Log;
using Xunit;

namespace Maplog.Tests.Unit.Log;

public sealed class LogOptionsTests
{
    [Theory]
    [InlineData("Host=db;Password=se;cret;Database=x", "its part 3, after a password, is not a keyword with a value")]
    [InlineData("Host=db;Password=se;cret=1", "its part 3, after a password, is not a keyword with a value")]
    [InlineData("Host=db;Password='secret", "a quote in the value of Password has no end")]
    [InlineData("Hots=db;Password=secret", "'Hots' is not a keyword of Npgsql")]
    [InlineData("Host=db;Port=many;Password=secret", "the value of Port is not valid")]
    [InlineData("Host=db;nonsense;Password=secret", "its part 2 has no '='")]
    [InlineData("postgres://maplog:secret@db/maplog", "is an address")]
    public void A_connection_string_that_cannot_be_read_is_told_without_its_password(string connection, string reason)
    {
        var mistake = Assert.Single(new LogOptions { ConnectionString = connection }.Validate(new ValidationContext(this))).ErrorMessage;
        Assert.Contains(reason, mistake, StringComparison.Ordinal);
        Assert.DoesNotContain("cret", mistake, StringComparison.Ordinal);
    }

    [Fact]
    public void One_that_can_be_read_is_no_mistake() =>
        Assert.Empty(new LogOptions { ConnectionString = "Host=db;Password='se;cret';Username=maplog" }.Validate(new ValidationContext(this)));
}
