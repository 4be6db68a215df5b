using Maplog.Bus;
using Maplog.Events;

namespace Maplog.BusLag;

/// <summary>As maplog does it: MassTransit, raw bytes, each message awaited until it is confirmed.</summary>
internal sealed class MassTransitWay(StreamName stream) : IWay
{
    private BusPublisher? _publisher;
    private BusSubscription? _subscription;

    public string Name => "MassTransit, raw bytes, awaited";

    public async Task OpenAsync(Uri server, Action<ReadOnlyMemory<byte>> arrived)
    {
        var options = new BusOptions { Uri = server };
        _subscription = new BusSubscriber(options, "lag").Subscribe(stream, new SubscriptionHandlers
        {
            Block = (block, _) =>
            {
                arrived(block.Bytes);
                return Task.CompletedTask;
            },
            Beat = (_, _) => Task.CompletedTask,
            Broken = (problem, _) => throw new InvalidDataException(problem),
        });
        while (!_subscription.IsConnected)
            await Task.Delay(20);
        _publisher = new BusPublisher(options);
        await _publisher.StartAsync();
    }

    public async Task SendAsync(ReadOnlyMemory<byte> block)
    {
        if (!await _publisher!.PublishAsync(stream, block))
            throw new InvalidOperationException(_publisher.Problem);
    }

    public async ValueTask DisposeAsync()
    {
        if (_publisher is not null)
            await _publisher.DisposeAsync();
        if (_subscription is not null)
            await _subscription.DisposeAsync();
    }
}
