using System.ComponentModel.DataAnnotations;
using Maplog.Bus;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Maplog.Tests.Unit.Bus;

public sealed class BusOptionsTests
{
    [Fact]
    public void An_address_is_enough() => new BusOptions { Uri = new Uri("amqp://maplog:secret@localhost/") }.ThrowIfInvalid();

    [Fact]
    public void Every_mistake_is_told_at_once_and_no_password()
    {
        var options = new BusOptions
        {
            Uri = new Uri("http://maplog:secret@localhost/"),
            PublishTimeout = TimeSpan.Zero,
            ConnectTimeout = TimeSpan.Zero,
            QueueExpiry = TimeSpan.Zero,
            QueueBytes = 0,
            Prefetch = 0,
            BrokenMessages = 0,
            MaxMessageBytes = 0,
        };
        var mistakes = new List<ValidationResult>();
        Assert.False(Validator.TryValidateObject(options, new ValidationContext(options), mistakes, validateAllProperties: true));
        Assert.Equal(
            ["BrokenMessages", "ConnectTimeout", "MaxMessageBytes", "Prefetch", "PublishTimeout", "QueueBytes", "QueueExpiry", "Uri"],
            mistakes.SelectMany(m => m.MemberNames).Order());
        var failure = Assert.Throws<ValidationException>(options.ThrowIfInvalid);
        Assert.All(mistakes, m => Assert.Contains(m.ErrorMessage!, failure.Message, StringComparison.Ordinal));
        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("amqp://maplog:se:cret@localhost/", "%3A")]
    [InlineData("amqp://maplog:secret@localhost/a/b", "%2F")]
    [InlineData("amqp://maplog:secret@a,b/", "user:password@host:port/path with one host")]
    [InlineData("http://maplog:secret@localhost/", "amqp://user:password@host:port/vhost")]
    public void An_address_that_cannot_be_read_is_told_without_its_password(string address, string advice)
    {
        // As the settings take it apart: from text.
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create("Maplog:Bus:Uri", (string?)address)]).Build();
        var settings = new Maplog.Configuration.Settings(configuration);
        settings.Read<BusOptions>("Maplog:Bus");
        var mistake = Assert.Single(settings.Mistakes);
        Assert.Contains(advice, mistake, StringComparison.Ordinal);
        Assert.DoesNotContain("cret", mistake, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_address_is_asked_for_with_an_example() =>
        Assert.Contains("amqp://", Assert.Throws<ValidationException>(new BusOptions().ThrowIfInvalid).Message, StringComparison.Ordinal);
}
