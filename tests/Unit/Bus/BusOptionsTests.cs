using System.ComponentModel.DataAnnotations;
using Maplog.Bus;
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

    [Fact]
    public void A_missing_address_is_asked_for_with_an_example() =>
        Assert.Contains("amqp://", Assert.Throws<ValidationException>(new BusOptions().ThrowIfInvalid).Message, StringComparison.Ordinal);
}
