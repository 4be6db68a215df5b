using Maplog.Bus;
using Xunit;

namespace Maplog.Tests.Unit.Bus;

public sealed class BusPublisherTests
{
    [Fact(Timeout = 60_000)]
    public async Task It_starts_and_ends_without_RabbitMQ()
    {
        await using var publisher = new BusPublisher(new BusOptions { Uri = new Uri("amqp://guest:guest@127.0.0.1:1/") });
        await publisher.StartAsync(TestContext.Current.CancellationToken);
        Assert.False(publisher.IsConnected);
        Assert.StartsWith("RabbitMQ at 127.0.0.1:1 cannot be reached", publisher.Problem, StringComparison.Ordinal);
    }
}
