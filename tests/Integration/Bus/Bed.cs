using Maplog.Bus;
using Maplog.Events;
using Xunit;

namespace Maplog.Tests.Integration.Bus;

/// <summary>A publisher and a connected subscription of a source of their own, with one stream.</summary>
internal sealed class Bed : IAsyncDisposable
{
    private Bed(StreamName stream, BusPublisher publisher, BusSubscription subscription, Received received) =>
        (Stream, Publisher, Subscription, Received) = (stream, publisher, subscription, received);

    public StreamName Stream { get; }

    public BusPublisher Publisher { get; }

    public BusSubscription Subscription { get; }

    public Received Received { get; }

    public static async Task<Bed> StartAsync(Uri uri, SubscriptionHandlers? handlers = null)
    {
        var stream = BusBed.NewStream();
        var received = new Received();
        var publisher = new BusPublisher(BusBed.OptionsFor(uri));
        await publisher.StartAsync(TestContext.Current.CancellationToken);
        Assert.True(publisher.IsConnected);
        var subscription = BusBed.Listen(BusBed.OptionsFor(uri), stream, handlers ?? received.Handlers);
        await BusBed.UntilAsync(() => subscription.IsConnected);
        return new Bed(stream, publisher, subscription, received);
    }

    public async ValueTask DisposeAsync()
    {
        await Subscription.DisposeAsync();
        await Publisher.DisposeAsync();
    }
}
