using Maplog.Configuration;
using Xunit;

namespace Maplog.Tests.Unit.Configuration;

public sealed class SecretsTests
{
    [Theory]
    [InlineData("amqp://user:pw@a,b/", "amqp://***@a,b/")]
    [InlineData("amqp://user:p@w/x@host/", "amqp://***@host/")]
    [InlineData("Host=db;Password=pw;Database=x", "Host=db;Password=***")]
    [InlineData("Host=db;pwd = 'p;w'", "Host=db;pwd =***")]
    [InlineData("Host=db;SSL Password=pw", "Host=db;SSL Password=***")]
    [InlineData("ten", "ten")]
    public void What_is_repeated_in_an_error_has_no_password(string given, string shown)
    {
        Assert.Equal(shown, Secrets.Hide(given));
    }
}
